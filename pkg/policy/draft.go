package policy

import (
	"fmt"
	"maps"
	"slices"
)

// Draft is an edit of a State by the records that the store may own. It never
// touches the State it began with, and it remembers what stood in the place of
// what it changed. A list, a record or an endpoint that a file owns it refuses
// to change, by an *Owned.
type Draft struct {
	state   State
	before  Image
	adopted bool
}

// NewDraft begins with s as it is.
func NewDraft(s *State) *Draft {
	return &Draft{state: *s, before: Image{
		Lists: map[Place]*List{}, Tenants: map[string]*TenantRecord{}, Endpoints: map[string]*Endpoint{},
	}}
}

// State is the state with the edits so far. It is read and not written.
func (d *Draft) State() *State { return &d.state }

// Before are the records that differ from what they were, as they were.
func (d *Draft) Before() Image {
	after := d.values(d.before)
	changed := Image{
		Lists:     differing(d.before.Lists, after.Lists, (*List).Same),
		Tenants:   differing(d.before.Tenants, after.Tenants, (*TenantRecord).Same),
		Endpoints: differing(d.before.Endpoints, after.Endpoints, (*Endpoint).Same),
	}
	if d.before.Filtering != nil && *d.before.Filtering != d.state.FilteringOff {
		changed.Filtering = d.before.Filtering
	}
	return changed
}

// After are the same records as they are now.
func (d *Draft) After() Image { return d.values(d.Before()) }

// values are the records of an image as the draft has them.
func (d *Draft) values(of Image) Image {
	now := Image{Lists: map[Place]*List{}, Tenants: map[string]*TenantRecord{}, Endpoints: map[string]*Endpoint{}}
	for at := range of.Lists {
		if l := d.state.ListAt(at); l != nil && l.Owner == "" {
			now.Lists[at] = l
		} else {
			now.Lists[at] = nil
		}
	}
	for id := range of.Tenants {
		now.Tenants[id] = d.state.Tenants.Get(id).Record()
	}
	for name := range of.Endpoints {
		now.Endpoints[name] = d.endpoint(name)
	}
	if of.Filtering != nil {
		now.Filtering = &d.state.FilteringOff
	}
	return now
}

func differing[K comparable, V any](before, after map[K]*V, same func(a, b *V) bool) map[K]*V {
	some := map[K]*V{}
	for key, was := range before {
		if !same(was, after[key]) {
			some[key] = was
		}
	}
	return some
}

// Owned refuses a change to what stands in a file.
type Owned struct{ What, File string }

func (e *Owned) Error() string { return fmt.Sprintf("%s stands in %s", e.What, e.File) }

// Unknown refuses a change below what there is not.
type Unknown struct{ What, Name string }

func (e *Unknown) Error() string { return fmt.Sprintf("%s %q: there is none", e.What, e.Name) }

// SetList puts l at a place of the system's, a tenant's or a user's; nil takes
// away what is there.
func (d *Draft) SetList(at Place, l *List) error {
	was := d.state.ListAt(at)
	switch {
	case at.Scope == ScopeEndpoint:
		return fmt.Errorf("list %s: it is part of the endpoint's security", at)
	case was != nil && was.Owner != "":
		return &Owned{"list " + at.String(), was.Owner}
	case was == nil && l == nil:
		return nil
	}
	if err := d.known(at); err != nil {
		return err
	}
	d.put(at, was, l)
	return nil
}

func (d *Draft) put(at Place, was, l *List) {
	d.force(at, l)
	remember(d.before.Lists, at, was)
}

// restoreList is SetList of what was there before: a tenant or a user that there
// was by this list alone is there again.
func (d *Draft) restoreList(at Place, l *List) error {
	was := d.state.ListAt(at)
	if was != nil && was.Owner != "" {
		return &Owned{"list " + at.String(), was.Owner}
	}
	if was != nil || l != nil {
		d.put(at, was, l)
	}
	return nil
}

// known refuses a place at a tenant or a user that there is not.
func (d *Draft) known(at Place) error {
	if at.Tenant == "" {
		return nil
	}
	t := d.state.Tenants.Get(at.Tenant)
	switch {
	case t == nil && !d.state.HasTenant(at.Tenant):
		return &Unknown{"tenant", at.Tenant}
	case at.User != "" && (t == nil || !t.HasUser(at.User)):
		return &Unknown{"user", at.User}
	}
	return nil
}

// Adopted reports whether the store has taken over a list.
func (d *Draft) Adopted() bool { return d.adopted }

// Adopt makes the store the owner of a list whose file is gone.
func (d *Draft) Adopt(at Place) error {
	l := d.state.ListAt(at)
	switch {
	case l == nil:
		return &Unknown{"list", at.String()}
	case l.Owner == "":
		return nil
	case !l.Orphaned:
		return &Owned{"list " + at.String(), l.Owner}
	}
	own := *l
	own.Owner, own.Orphaned, own.Pos = "", false, Pos{}
	own.Entries = slices.Clone(l.Entries)
	for i := range own.Entries {
		own.Entries[i].Pos = Pos{}
	}
	d.put(at, nil, &own)
	d.adopted = true
	return nil
}

// force puts l at a place whoever owns what is there.
func (d *Draft) force(at Place, l *List) {
	switch at.Scope {
	case ScopeSystem:
		d.state.System = having(d.state.System, at.Resource, l)
	case ScopeTenant:
		t := d.tenant(at.Tenant)
		t.Lists = having(t.Lists, at.Resource, l)
		d.putTenant(t)
	case ScopeUser:
		t := d.tenant(at.Tenant)
		users := maps.Clone(t.Users)
		if users == nil {
			users = map[string]map[string]*List{}
		}
		if users[at.User] = having(users[at.User], at.Resource, l); len(users[at.User]) == 0 {
			delete(users, at.User)
		}
		t.Users = users
		d.putTenant(t)
	}
}

// SetFiltering turns the switch, unless a file holds it.
func (d *Draft) SetFiltering(off bool) error {
	switch {
	case d.state.FilteringAt.File != "":
		return &Owned{filteringName, d.state.FilteringAt.File}
	case off == d.state.FilteringOff:
		return nil
	}
	was := d.state.FilteringOff
	if d.before.Filtering == nil {
		d.before.Filtering = &was
	}
	d.state.FilteringOff = off
	return nil
}

// Restore gives records the values they have in i. Of an endpoint that a file
// owns by now only the security is taken.
func (d *Draft) Restore(i Image) error { return d.restore(i, func(err error) error { return err }) }

// TakeBack is Restore of what files do not own by now.
func (d *Draft) TakeBack(i Image) {
	_ = d.restore(i, func(error) error { return nil })
}

func (d *Draft) restore(i Image, minds func(error) error) error {
	for id, record := range i.Tenants { // first: lists need their tenant
		if record != nil {
			if err := minds(d.SetRecord(id, record)); err != nil {
				return err
			}
		}
	}
	for at, l := range i.Lists {
		if err := minds(d.restoreList(at, l)); err != nil {
			return err
		}
	}
	for id, record := range i.Tenants {
		if record == nil {
			if err := minds(d.SetRecord(id, nil)); err != nil {
				return err
			}
		}
	}
	for name, ep := range i.Endpoints {
		if err := minds(d.restoreEndpoint(name, ep)); err != nil {
			return err
		}
	}
	if i.Filtering != nil {
		return minds(d.SetFiltering(*i.Filtering))
	}
	return nil
}

// Restorable says why TakeBack would make no policy; nil where it would.
func (s *State) Restorable(i Image) error {
	d := NewDraft(s)
	d.TakeBack(i)
	return d.state.checkSince(s).Err()
}

// having is lists with another one for a resource, or without it.
func having(lists map[string]*List, resource string, l *List) map[string]*List {
	next := make(map[string]*List, len(lists)+1)
	maps.Copy(next, lists)
	if l == nil {
		delete(next, resource)
	} else {
		next[resource] = l
	}
	return next
}

// remember keeps the value a record had before its first edit.
func remember[K comparable, V any](before map[K]*V, key K, was *V) {
	if _, known := before[key]; !known {
		before[key] = was
	}
}
