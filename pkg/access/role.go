package access

import "github.com/postern-io/postern/pkg/policy"

// Role is a set of rights with a name.
type Role string

const (
	Admin       Role = "admin"        // everything
	Operator    Role = "operator"     // all lists, endpoints' security, tenants; no keys
	TenantAdmin Role = "tenant-admin" // a tenant's and its users' lists, keys, history, audit
	User        Role = "user"         // a user's own lists
	Reader      Role = "reader"       // reads; with a tenant, that tenant's
)

// Roles are all of them, the strongest first.
var Roles = []Role{Admin, Operator, TenantAdmin, User, Reader}

func (r Role) actions() actions {
	switch r {
	case Admin:
		return everything
	case Operator:
		return reading | 1<<WriteLists | 1<<WriteSecurity | 1<<WriteTenants
	case TenantAdmin:
		return reading | 1<<WriteLists | onKeys
	case User:
		return onLists | 1<<ReadTenants
	case Reader:
		return reading
	}
	return 0
}

// scopes are what a key of r may be bound to: the system is nothing.
func (r Role) scopes() []policy.Scope {
	switch r {
	case TenantAdmin:
		return []policy.Scope{policy.ScopeTenant}
	case User:
		return []policy.Scope{policy.ScopeUser}
	case Reader:
		return []policy.Scope{policy.ScopeSystem, policy.ScopeTenant}
	}
	return []policy.Scope{policy.ScopeSystem}
}
