package access

import (
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// Target is what an action is done to: a list, or what stands at the same place,
// a tenant's record, its keys, its history. With ScopeSystem it is the whole.
type Target struct {
	Scope    policy.Scope
	Tenant   string // with ScopeTenant and ScopeUser
	User     string // with ScopeUser
	Endpoint string // with ScopeEndpoint
	Resource string // a list's; "" for all lists there, or what is no list

	// StaffOnly is self_service: false on the tenant. Its lists are then written
	// by those alone whose rights are not bound to a tenant.
	StaffOnly bool
}

// At is the list that stands at a place, as a target.
func At(p policy.Place) Target {
	return Target{Scope: p.Scope, Tenant: p.Tenant, User: p.User, Endpoint: p.Endpoint, Resource: p.Resource}
}

// reach is how far a grant goes: the whole system, a tenant and its users, or one
// user. The zero reach goes nowhere.
type reach struct {
	scope        policy.Scope
	tenant, user string
	resources    []string // not nil: the lists for these, at this very scope
}

// reachOf is a key's, by the tenant and user it is bound to.
func reachOf(tenant, user string) reach {
	switch {
	case user != "":
		return reach{scope: policy.ScopeUser, tenant: tenant, user: user}
	case tenant != "":
		return reach{scope: policy.ScopeTenant, tenant: tenant}
	}
	return reach{scope: policy.ScopeSystem}
}

func (r reach) covers(t Target) bool {
	if r.resources != nil && (t.Scope != r.scope || !slices.Contains(r.resources, t.Resource)) {
		return false
	}
	switch r.scope {
	case policy.ScopeSystem:
		return true
	case policy.ScopeTenant:
		return (t.Scope == policy.ScopeTenant || t.Scope == policy.ScopeUser) && t.Tenant == r.tenant
	case policy.ScopeUser:
		return t.Scope == policy.ScopeUser && t.Tenant == r.tenant && t.User == r.user
	}
	return false
}

// targets are what must all be covered for r to be.
func (r reach) targets() []Target {
	whole := Target{Scope: r.scope, Tenant: r.tenant, User: r.user}
	if r.resources == nil {
		return []Target{whole}
	}
	all := make([]Target, len(r.resources))
	for i, resource := range r.resources {
		all[i] = whole
		all[i].Resource = resource
	}
	return all
}
