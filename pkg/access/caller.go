package access

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/postern-io/postern/pkg/policy"
)

// Caller is who makes a request. One made by hand may nothing.
type Caller struct {
	Key    *Key   // nil: somebody of this host, by the unix socket
	Name   string // the key's, else "root", or "uid 1000"
	ID     string // the key's
	UID    int    // without Key
	Role   Role
	Tenant string
	User   string
	From   netip.Addr
	Token  string // the token's id; "": it came with the secret itself
	grants []grant
}

// Local is a user of this host: an admin, or a reader.
func Local(uid int, admin bool) *Caller {
	k := Key{Role: Reader}
	if admin {
		k.Role = Admin
	}
	name := "root"
	if uid != 0 {
		name = "uid " + strconv.Itoa(uid)
	}
	return &Caller{Name: name, UID: uid, Role: k.Role, grants: k.grants()}
}

// By is who calls with a key.
func By(k *Key, from netip.Addr) *Caller {
	return &Caller{
		Key: k, Name: k.Name, ID: k.ID, Role: k.Role, Tenant: k.Tenant, User: k.User,
		From: from, grants: k.grants(),
	}
}

// Author is the caller, as history tells of it.
func (c *Caller) Author() policy.Author {
	return policy.Author{Name: c.Name, Key: c.ID, Tenant: c.Tenant, From: c.From}
}

// May reports whether the caller may do a to t.
func (c *Caller) May(a Action, t Target) bool {
	return slices.ContainsFunc(c.grants, func(g grant) bool {
		staff := g.scope == policy.ScopeSystem
		return g.actions.has(a) && g.covers(t) && (staff || !t.StaffOnly || a != WriteLists)
	})
}

// Has reports whether the caller has a permission: its key names it, or its role
// means at least as much, as far as the key reaches.
func (c *Caller) Has(text string) bool {
	p, wrong := parsePermission(text)
	if wrong != nil {
		return false
	}
	if c.Key != nil && slices.Contains(c.Key.Permissions, text) && p.misfit(c.Key) == "" {
		return true
	}
	_, lacking := c.lacks(p.grants(reachOf(c.Tenant, c.User)))
	return !lacking
}
