package access

import (
	"fmt"
	"strings"

	"github.com/postern-io/postern/pkg/policy"
)

// HDP's permissions, by its numbers.
const (
	hdpAccess = "11" // MgmtAPI
	hdpAdmin  = "12" // Administrator
	hdpLists  = "29" // IPWhiteList
)

// permission is one that was read: its actions, in the reach of the key that has
// it unless it names a tenant itself.
type permission struct {
	actions  actions
	tenant   string
	resource string // not "": the tenant's list for it alone
}

// unknown says what is wrong with a permission, and what would be right.
type unknown struct{ what, remedy string }

// parsePermission reads a permission: one of HDP's numbers, TrustX's
// TNT#tenant#Service:operation, or the text of an Action.
func parsePermission(text string) (permission, *unknown) {
	switch text {
	case hdpAccess:
		return permission{actions: 1<<ReadLists | 1<<ReadTenants}, nil
	case hdpLists:
		return permission{actions: 1 << WriteLists}, nil
	case hdpAdmin:
		return permission{actions: everything}, nil
	}
	if strings.HasPrefix(text, "TNT#") {
		return parseTenantPermission(text)
	}
	for a := range actionCount {
		if a.String() == text {
			return permission{actions: 1 << a}, nil
		}
	}
	return permission{}, &unknown{
		fmt.Sprintf("%q is no permission", text),
		nearest(text, natives(), "use 11, 12, 29, TNT#tenant#Service:operation, "+strings.Join(natives(), ", ")),
	}
}

func parseTenantPermission(text string) (permission, *unknown) {
	tenant, operation, ok := strings.Cut(strings.TrimPrefix(text, "TNT#"), "#")
	switch {
	case !ok:
		return permission{}, &unknown{fmt.Sprintf("%q names no operation", text), "write TNT#tenant#Service:operation"}
	case !policy.ValidID(tenant):
		return permission{}, &unknown{fmt.Sprintf("%q: tenant %q is no id", text, tenant), "put the tenant's id between the two #"}
	}
	for _, op := range operations {
		if op.name == operation {
			return permission{actions: op.actions, tenant: tenant, resource: op.resource}, nil
		}
	}
	return permission{}, &unknown{
		fmt.Sprintf("%q: operation %q is unknown", text, operation),
		nearest(operation, operationNames(), "those known are "+strings.Join(operationNames(), ", ")),
	}
}

// operations are those of TrustX's that have a meaning here.
var operations = []struct {
	name     string
	actions  actions
	resource string
}{
	{"Crms:updateTenantPermittedIpAddresses", onLists, policy.AnyResource},
	{"ArthrServer:listTenantApiKeys", 1 << ListKeys, ""},
	{"ArthrServer:createTenantApiKey", 1 << CreateKeys, ""},
	{"ArthrServer:getFromTenant", 1 << ReadKeys, ""},
	{"ArthrServer:updateTenantApiKey", 1 << UpdateKeys, ""},
	{"ArthrServer:deleteFromTenant", 1 << DeleteKeys, ""},
}

func operationNames() []string {
	names := make([]string, len(operations))
	for i, op := range operations {
		names[i] = op.name
	}
	return names
}

// natives are our own permissions.
func natives() []string {
	names := make([]string, actionCount)
	for a := range actionCount {
		names[a] = a.String()
	}
	return names
}

func nearest(word string, known []string, otherwise string) string {
	if near := policy.Nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	return otherwise
}

// misfit says why p does not fit the key that has it, "" where it does.
func (p permission) misfit(k *Key) string {
	switch {
	case p.actions&systemWide != 0 && k.Tenant != "":
		return "is for the whole system"
	case p.tenant != "" && k.Tenant != "" && p.tenant != k.Tenant:
		return "is for another tenant than the key's"
	case p.tenant != "" && k.User != "":
		return "is for a whole tenant, the key for a user"
	}
	return ""
}

// grants are p's, to a key of this reach.
func (p permission) grants(own reach) []grant {
	if p.tenant == "" {
		return p.actions.within(own)
	}
	named := reach{scope: policy.ScopeTenant, tenant: p.tenant}
	if p.resource != "" {
		named.resources = []string{p.resource}
	}
	return []grant{{named, p.actions}}
}
