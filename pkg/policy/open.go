package policy

import (
	"fmt"
	"iter"
	"slices"
)

// Open says why no list keeps anybody from an endpoint, as "tenant 3 has no
// list"; "" where one does.
func (s *State) Open(ep *Endpoint) string {
	return s.openTo(ep, s.tenantsOf(ep))
}

// openTo is Open as far as it goes by some of an endpoint's tenants.
func (s *State) openTo(ep *Endpoint, ids iter.Seq[string]) string {
	if restricts(s.System, ep.Resource) || ep.Policies.restricts() {
		return ""
	}
	var open openTenants
	tenants := 0
	for id := range ids {
		tenants++
		open.add(s, ep, id)
	}
	if tenants == 0 && (!s.closed(ep) || ep.Policies.counts()) {
		return "it has no tenants and no list of its own"
	}
	return open.String()
}

// tenantsOf goes through the tenants an endpoint serves, in no order: of all,
// those with a record and those that another endpoint names.
func (s *State) tenantsOf(ep *Endpoint) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !ep.AllTenants {
			for _, id := range ep.Tenants {
				if !yield(id) {
					return
				}
			}
			return
		}
		s.TenantIDs()(yield)
	}
}

// TenantIDs are the tenants there are, in no order: a record makes one, and so
// does an endpoint that names it.
func (s *State) TenantIDs() iter.Seq[string] {
	return func(yield func(string) bool) {
		for id := range s.Tenants.All() {
			if !yield(id) {
				return
			}
		}
		named := map[string]bool{}
		for _, ep := range s.Endpoints {
			for _, id := range ep.Tenants {
				if s.Tenants.Get(id) != nil || named[id] {
					continue
				}
				named[id] = true
				if !yield(id) {
					return
				}
			}
		}
	}
}

// openTenants counts and names the first by id: there may be 90,000.
type openTenants struct {
	count  int
	first  string
	denies bool // the first has lists, which only deny
}

func (o *openTenants) add(s *State, ep *Endpoint, id string) {
	var lists map[string]*List
	if t := s.Tenants.Get(id); t != nil {
		lists = t.Lists
	}
	listed := lists[AnyResource].counts() || lists[ep.Resource].counts()
	if restricts(lists, ep.Resource) || !listed && s.closed(ep) {
		return
	}
	if o.count == 0 || id < o.first {
		o.first, o.denies = id, listed
	}
	o.count++
}

func (o *openTenants) String() string {
	switch {
	case o.count == 0:
		return ""
	case o.count > 1:
		return fmt.Sprintf("tenant %s and %d more have no list that admits", o.first, o.count-1)
	case o.denies:
		return fmt.Sprintf("tenant %s has lists that only deny", o.first)
	}
	return fmt.Sprintf("tenant %s has no list", o.first)
}

func restricts(lists map[string]*List, resource string) bool {
	return lists[AnyResource].restricts() || lists[resource].restricts()
}

// restricts reports whether the list keeps out whom no entry names.
func (l *List) restricts() bool {
	return l.counts() && slices.ContainsFunc(l.Entries, func(e Entry) bool { return e.Action == Allow })
}

// closed reports whether at ep, or without an endpoint, "no list" means nobody.
func (s *State) closed(ep *Endpoint) bool {
	if ep != nil && ep.Unlisted != Inherit {
		return ep.Unlisted == UnlistedClosed
	}
	return s.Unlisted == UnlistedClosed
}
