package policy

import (
	"iter"
	"slices"
	"sync"
)

// doors are the endpoints before a change and after it, as far as they keep out
// who is named nowhere.
type doors struct {
	before, after *Table
	was, is       func() *ground
	all           map[alike]bool // whether endpoints of all tenants were kept by these
	changed       map[*Endpoint]bool
}

func newDoors(before, after *Table) *doors {
	return &doors{
		before: before, after: after, all: map[alike]bool{}, changed: map[*Endpoint]bool{},
		was: sync.OnceValue(before.ground), is: sync.OnceValue(after.ground),
	}
}

// alike is what decides whether endpoints of all tenants are open.
type alike struct {
	resource                 string
	mode                     Mode
	closed, denies, restrict bool
}

// kept reports whether an endpoint before the change kept anybody out.
func (d *doors) kept(ep *Endpoint) bool {
	if !ep.AllTenants {
		return d.before.lets(ep) == ""
	}
	s := d.before.State
	key := alike{ep.Resource, ep.Mode, s.closed(ep), ep.Policies.counts(), ep.Policies.restricts()}
	kept, known := d.all[key]
	if !known { // it asks 90,000 tenants
		kept = d.before.lets(ep) == ""
		d.all[key] = kept
	}
	return kept
}

// opened says how an endpoint that changed came to be open to all, its lists aside
// that others speak of; "" where it did not.
func (d *doors) opened(was, is *Endpoint) string {
	d.changed[is] = true
	switch {
	case was == nil || !d.kept(was):
		return d.shadows(was, is)
	case is == nil:
		return "it is not guarded any more"
	case is.Mode != Enforce:
		return "it is " + is.Mode.String() + " now"
	case !covers(is, was):
		return "some of it is not guarded any more"
	}
	if why := d.after.lets(is); why != "" {
		return why
	}
	return d.yields(was, is)
}

// lets says why an endpoint keeps nobody out; "" where it does.
func (t *Table) lets(ep *Endpoint) string {
	if mode := t.Mode(ep); mode != Enforce {
		return "it is " + mode.String()
	}
	return t.State.openTo(ep, slices.Values(t.tenantsOf(ep)))
}

// openedByTenants are those other endpoints that are open for the sake of a tenant
// which there was not, or because none is left. They are of all tenants: where an
// endpoint names its own, they come and go by a change of the endpoint.
func (d *doors) openedByTenants() iter.Seq2[*Endpoint, string] {
	return func(yield func(*Endpoint, string) bool) {
		var came []string
		turned := false
		for c := range d.after.tenants.Since(d.before.tenants) {
			turned = turned || c.Before == nil || c.After == nil
			if c.Before == nil {
				came = append(came, c.Name)
			}
		}
		none := turned && len(d.after.all.ids) == 0
		if len(came) == 0 && !none {
			return
		}
		for _, record := range d.after.roster.everyone {
			ep := d.after.State.Endpoints[record-1]
			why := d.after.State.openTo(ep, slices.Values(came))
			if why != "" && !d.changed[ep] && d.kept(ep) && !yield(ep, why) {
				return
			}
		}
	}
}

// shadows says how an open endpoint came to stand before one that kept out; ""
// where it did not.
func (d *doors) shadows(was, is *Endpoint) string {
	if is == nil || was != nil && sameGround(was, is) {
		return ""
	}
	why := d.after.lets(is)
	if why == "" {
		return ""
	}
	for guard := range d.was().beneath(is) {
		if d.kept(guard) {
			return "it stands before endpoint " + guard.Name + ", and " + why
		}
	}
	return ""
}

// yields says how an endpoint that keeps out came to stand behind an open one; ""
// where it did not.
func (d *doors) yields(was, is *Endpoint) string {
	if sameGround(was, is) {
		return ""
	}
	for ep := range d.is().beneath(was) {
		if why := d.after.lets(ep); ep != is && why != "" {
			return "some of it is left to endpoint " + ep.Name + ": " + why
		}
	}
	return ""
}
