package policy

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Place is where a list stands. Its text is the one name the list has, in
// answers and in the store: "system/*", "tenants/acme/dataAccess",
// "tenants/acme/users/1/*", "endpoints/portal". No id holds a slash, so no two
// lists share a name.
type Place struct {
	Scope    Scope
	Tenant   string // with ScopeTenant and ScopeUser
	User     string // with ScopeUser
	Endpoint string // with ScopeEndpoint
	Resource string // "" with ScopeEndpoint
}

func (p Place) String() string {
	switch p.Scope {
	case ScopeSystem:
		return "system/" + p.Resource
	case ScopeTenant:
		return "tenants/" + p.Tenant + "/" + p.Resource
	case ScopeUser:
		return "tenants/" + p.Tenant + "/users/" + p.User + "/" + p.Resource
	case ScopeEndpoint:
		return "endpoints/" + p.Endpoint
	}
	return ""
}

// ParsePlace reads a place's text.
func ParsePlace(text string) (Place, error) {
	part := strings.Split(text, "/")
	switch {
	case len(part) == 2 && part[0] == "system":
		return Place{Scope: ScopeSystem, Resource: part[1]}, nil
	case len(part) == 3 && part[0] == "tenants":
		return Place{Scope: ScopeTenant, Tenant: part[1], Resource: part[2]}, nil
	case len(part) == 5 && part[0] == "tenants" && part[2] == "users":
		return Place{Scope: ScopeUser, Tenant: part[1], User: part[3], Resource: part[4]}, nil
	case len(part) == 2 && part[0] == "endpoints":
		return Place{Scope: ScopeEndpoint, Endpoint: part[1]}, nil
	}
	return Place{}, fmt.Errorf("list %q: not the name of a list", text)
}

// ListAt is the list at a place; nil where there is none.
func (s *State) ListAt(at Place) *List {
	switch at.Scope {
	case ScopeSystem:
		return s.System[at.Resource]
	case ScopeEndpoint:
		if ep := s.Endpoint(at.Endpoint); ep != nil {
			return ep.Policies
		}
		return nil
	}
	t := s.Tenants.Get(at.Tenant)
	switch {
	case t == nil:
		return nil
	case at.Scope == ScopeTenant:
		return t.Lists[at.Resource]
	}
	return t.Users[at.User][at.Resource]
}

// Endpoint is the endpoint of a name; nil where there is none.
func (s *State) Endpoint(name string) *Endpoint {
	for _, ep := range s.Endpoints {
		if ep.Name == name {
			return ep
		}
	}
	return nil
}

// HasTenant reports whether a record, a list or an endpoint names a tenant.
func (s *State) HasTenant(id string) bool {
	return s.Tenants.Get(id) != nil ||
		slices.ContainsFunc(s.Endpoints, func(ep *Endpoint) bool { return slices.Contains(ep.Tenants, id) })
}

// Lists are all lists of s, in no order.
func (s *State) Lists() iter.Seq2[Place, *List] {
	return func(yield func(Place, *List) bool) {
		each := func(at Place, lists map[string]*List) bool {
			for resource, l := range lists {
				at.Resource = resource
				if !yield(at, l) {
					return false
				}
			}
			return true
		}
		if !each(Place{Scope: ScopeSystem}, s.System) {
			return
		}
		for id, t := range s.Tenants.All() {
			if !each(Place{Scope: ScopeTenant, Tenant: id}, t.Lists) {
				return
			}
			for user, lists := range t.Users {
				if !each(Place{Scope: ScopeUser, Tenant: id, User: user}, lists) {
					return
				}
			}
		}
		for _, ep := range s.Endpoints {
			if ep.Policies != nil && !yield(Place{Scope: ScopeEndpoint, Endpoint: ep.Name}, ep.Policies) {
				return
			}
		}
	}
}
