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
	state  State
	before Image
}

// NewDraft begins with s as it is.
func NewDraft(s *State) *Draft {
	return &Draft{state: *s, before: Image{
		Lists: map[Place]*List{}, Tenants: map[string]*TenantRecord{}, Endpoints: map[string]*Endpoint{},
	}}
}

// State is the state with the edits so far. It is read and not written.
func (d *Draft) State() *State { return &d.state }

// Before are the records that were edited, as they stood.
func (d *Draft) Before() Image { return d.before }

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
	case was != nil && was.Owner != "":
		return &Owned{"list " + at.String(), was.Owner}
	case was == nil && l == nil:
		return nil
	case at.Scope == ScopeSystem:
		d.state.System = having(d.state.System, at.Resource, l)
	case at.Scope == ScopeTenant || at.Scope == ScopeUser:
		if err := d.setTenantList(at, l); err != nil {
			return err
		}
	default:
		return fmt.Errorf("list %s: an endpoint's list is part of its security", at)
	}
	remember(d.before.Lists, at, was)
	return nil
}

func (d *Draft) setTenantList(at Place, l *List) error {
	if !d.state.HasTenant(at.Tenant) {
		return &Unknown{"tenant", at.Tenant}
	}
	t := d.tenant(at.Tenant)
	if at.Scope == ScopeTenant {
		t.Lists = having(t.Lists, at.Resource, l)
	} else {
		lists, known := t.Users[at.User]
		if !known {
			return &Unknown{"user", at.User}
		}
		t.Users = maps.Clone(t.Users)
		t.Users[at.User] = having(lists, at.Resource, l)
	}
	d.state.Tenants = d.state.Tenants.With(t.ID, t)
	return nil
}

// tenant is a copy of a tenant to be edited, or the beginning of one.
func (d *Draft) tenant(id string) *Tenant {
	if t := d.state.Tenants.Get(id); t != nil {
		c := *t
		return &c
	}
	return &Tenant{ID: id}
}

// SetRecord gives a tenant this record, and makes the tenant where there is
// none. A nil record takes the tenant away with all its lists, of which a file
// may own none.
func (d *Draft) SetRecord(id string, r *TenantRecord) error {
	was := d.state.Tenants.Get(id)
	switch {
	case was != nil && was.Owner != "":
		return &Owned{"tenant " + id, was.Owner}
	case r == nil && was == nil:
		return nil
	}
	record := was.Record()
	if err := d.dropLists(id, r); err != nil {
		return err
	}
	remember(d.before.Tenants, id, record)
	if r == nil {
		d.state.Tenants = d.state.Tenants.With(id, nil)
		return nil
	}
	t := d.tenant(id)
	t.take(r)
	d.state.Tenants = d.state.Tenants.With(id, t)
	return nil
}

// take gives t the record r, without its users' lists.
func (t *Tenant) take(r *TenantRecord) {
	t.Name, t.Hosts, t.StaffOnly, t.Attributes = r.Name, r.Hosts, r.StaffOnly, r.Attributes
	users := make(map[string]map[string]*List, len(r.Users))
	names := map[string]string{}
	for user, name := range r.Users {
		users[user] = t.Users[user]
		if users[user] == nil {
			users[user] = map[string]*List{}
		}
		if name != "" {
			names[user] = name
		}
	}
	t.Users, t.Names = users, names
}

// dropLists takes away the lists of a tenant's users that r does not know, and
// where r is nil all there are.
func (d *Draft) dropLists(id string, r *TenantRecord) error {
	t := d.state.Tenants.Get(id)
	if t == nil {
		return nil
	}
	var gone []Place
	if r == nil {
		for resource := range t.Lists {
			gone = append(gone, Place{Scope: ScopeTenant, Tenant: id, Resource: resource})
		}
	}
	for user, lists := range t.Users {
		if r != nil {
			if _, stays := r.Users[user]; stays {
				continue
			}
		}
		for resource := range lists {
			gone = append(gone, Place{Scope: ScopeUser, Tenant: id, User: user, Resource: resource})
		}
	}
	for _, at := range gone {
		if err := d.SetList(at, nil); err != nil {
			return err
		}
	}
	return nil
}

// SetEndpoint puts an endpoint of the store's in the place of one of its name;
// nil takes it away.
func (d *Draft) SetEndpoint(name string, ep *Endpoint) error {
	was := d.state.Endpoint(name)
	switch {
	case was != nil && was.Pos.File != "":
		return &Owned{"endpoint " + name, was.Pos.File}
	case was == nil && ep == nil:
		return nil
	}
	d.putEndpoint(name, was, ep)
	return nil
}

// Secure gives an endpoint its own list and what it asks beside the address, also
// where a file owns the endpoint: unless the file says these itself.
func (d *Draft) Secure(name string, policies *List, verify Verify, s *Security) error {
	was := d.state.Endpoint(name)
	switch {
	case was == nil:
		return &Unknown{"endpoint", name}
	case was.saidByFile():
		return &Owned{"the security of endpoint " + name, was.Pos.File}
	}
	ep := *was
	ep.Policies, ep.Verify, ep.Security, ep.Secured = policies, verify, s, true
	d.putEndpoint(name, was, &ep)
	return nil
}

// saidByFile reports whether the file of an endpoint has policies of its own for
// it, or says how they are joined.
func (ep *Endpoint) saidByFile() bool {
	return !ep.Secured && ep.Pos.File != "" && (ep.Policies != nil || ep.Verify != VerifyAnd)
}

func (d *Draft) putEndpoint(name string, was, ep *Endpoint) {
	remember(d.before.Endpoints, name, was)
	all := slices.Clone(d.state.Endpoints)
	at := slices.Index(all, was)
	switch {
	case ep == nil:
		all = slices.Delete(all, at, at+1)
	case at < 0:
		all = append(all, ep)
	default:
		all[at] = ep
	}
	d.state.Endpoints = all
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
func (d *Draft) Restore(i Image) error {
	for id, record := range i.Tenants { // first: lists need their tenant
		if record != nil {
			if err := d.SetRecord(id, record); err != nil {
				return err
			}
		}
	}
	for at, l := range i.Lists {
		if err := d.SetList(at, l); err != nil {
			return err
		}
	}
	for id, record := range i.Tenants {
		if record == nil {
			if err := d.SetRecord(id, nil); err != nil {
				return err
			}
		}
	}
	for name, ep := range i.Endpoints {
		if err := d.restoreEndpoint(name, ep); err != nil {
			return err
		}
	}
	if i.Filtering != nil {
		return d.SetFiltering(*i.Filtering)
	}
	return nil
}

func (d *Draft) restoreEndpoint(name string, ep *Endpoint) error {
	is := d.state.Endpoint(name)
	if ep == nil || is == nil || is.Pos.File == "" {
		return d.SetEndpoint(name, ep)
	}
	if is.saidByFile() {
		return &Owned{"the security of endpoint " + name, is.Pos.File}
	}
	next := *is
	next.Policies, next.Verify, next.Security, next.Secured = ep.Policies, ep.Verify, ep.Security, ep.Secured
	if !ep.Secured { // the file said them then, and says nothing now
		next.Policies, next.Verify, next.Security = nil, VerifyAnd, nil
	}
	d.putEndpoint(name, is, &next)
	return nil
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
