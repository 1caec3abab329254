package policy

import "iter"

// ListChange is a place where another list stands than before; nil is none.
type ListChange struct {
	At            Place
	Before, After *List
}

// ListsSince are the lists that are not those of before, told by their pointers,
// in no order. It passes over the tenants that both states share.
func (s *State) ListsSince(before *State) iter.Seq[ListChange] {
	return func(yield func(ListChange) bool) {
		if !changedLists(Place{Scope: ScopeSystem}, before.System, s.System, yield) {
			return
		}
		for t := range s.Tenants.Since(before.Tenants) {
			if !changedTenant(t, yield) {
				return
			}
		}
		for e := range s.EndpointsSince(before) {
			was, is := e.Before.policies(), e.After.policies()
			if was != is && !yield(ListChange{Place{Scope: ScopeEndpoint, Endpoint: e.Name}, was, is}) {
				return
			}
		}
	}
}

func (ep *Endpoint) policies() *List {
	if ep == nil {
		return nil
	}
	return ep.Policies
}

func changedTenant(t Change[Tenant], yield func(ListChange) bool) bool {
	var was, is Tenant
	if t.Before != nil {
		was = *t.Before
	}
	if t.After != nil {
		is = *t.After
	}
	if !changedLists(Place{Scope: ScopeTenant, Tenant: t.Name}, was.Lists, is.Lists, yield) {
		return false
	}
	for user, lists := range is.Users {
		if !changedLists(Place{Scope: ScopeUser, Tenant: t.Name, User: user}, was.Users[user], lists, yield) {
			return false
		}
	}
	for user, lists := range was.Users {
		_, stays := is.Users[user]
		if !stays && !changedLists(Place{Scope: ScopeUser, Tenant: t.Name, User: user}, lists, nil, yield) {
			return false
		}
	}
	return true
}

func changedLists(at Place, was, is map[string]*List, yield func(ListChange) bool) bool {
	for resource, l := range is {
		at.Resource = resource
		if was[resource] != l && !yield(ListChange{at, was[resource], l}) {
			return false
		}
	}
	for resource, l := range was {
		at.Resource = resource
		if _, stays := is[resource]; !stays && !yield(ListChange{at, l, nil}) {
			return false
		}
	}
	return true
}

// EndpointsSince are the endpoints that are not those of before. It passes over
// what both begin and end with.
func (s *State) EndpointsSince(before *State) iter.Seq[Change[Endpoint]] {
	return func(yield func(Change[Endpoint]) bool) {
		if same(s.Endpoints, before.Endpoints) {
			return
		}
		old, fresh := before.Endpoints, s.Endpoints
		for len(old) > 0 && len(fresh) > 0 && old[0] == fresh[0] {
			old, fresh = old[1:], fresh[1:]
		}
		for len(old) > 0 && len(fresh) > 0 && old[len(old)-1] == fresh[len(fresh)-1] {
			old, fresh = old[:len(old)-1], fresh[:len(fresh)-1]
		}
		was := make(map[string]*Endpoint, len(old))
		for _, ep := range old {
			was[ep.Name] = ep
		}
		for _, ep := range fresh {
			if was[ep.Name] != ep && !yield(Change[Endpoint]{ep.Name, was[ep.Name], ep}) {
				return
			}
			delete(was, ep.Name)
		}
		for name, ep := range was {
			if !yield(Change[Endpoint]{name, ep, nil}) {
				return
			}
		}
	}
}
