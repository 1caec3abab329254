package access

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

func user(tenant, user, resource string) Target {
	return Target{Scope: policy.ScopeUser, Tenant: tenant, User: user, Resource: resource}
}

func tenant(id, resource string) Target {
	return Target{Scope: policy.ScopeTenant, Tenant: id, Resource: resource}
}

// targets are those of TestMay by the letters in its table.
var targets = []struct {
	letter string
	target Target
}{
	{"s", Target{Scope: policy.ScopeSystem, Resource: "dataAccess"}},
	{"t", tenant("acme", "dataAccess")},
	{"*", tenant("acme", "*")},
	{"a", tenant("acme", "")},
	{"u", user("acme", "1", "dataAccess")},
	{"w", user("acme", "1", "webUI")},
	{"r", user("acme", "1", "")},
	{"v", user("acme", "2", "*")},
	{"o", tenant("bolt", "*")},
	{"p", user("bolt", "1", "dataAccess")},
	{"e", Target{Scope: policy.ScopeEndpoint, Endpoint: "portal"}},
	{"0", Target{}},
}

// callers are the columns of TestMay's table.
var callers = []*Key{
	{Role: Admin},
	{Role: Operator},
	{Role: TenantAdmin, Tenant: "acme"},
	{Role: User, Tenant: "acme", User: "1"},
	{Role: Reader},
	{Role: Reader, Tenant: "acme"},
	{Permissions: []string{"12"}},
	{Permissions: []string{"11", "29"}},
	{Permissions: []string{"11", "29"}, Tenant: "acme"},
	{Permissions: []string{"29"}},
	{Permissions: []string{"TNT#acme#Crms:updateTenantPermittedIpAddresses"}},
	{Permissions: []string{"TNT#acme#ArthrServer:createTenantApiKey"}},
	{Permissions: []string{"security:write"}},
	{},
}

// everywhere stands for all targets, mine for acme and its users.
var letters = strings.NewReplacer("all", "st*auwrvope0", "acme", "t*auwrv", "self", "uwr", "-", "")

const mayTable = `
status:read      all all acme -    all acme all -   -    - -  -    -   -
lists:read       all all acme u    all acme all all acme - *  -    -   -
lists:write      all all acme u    -   -    all all acme - *  -    -   -
tenants:read     all all acme self all acme all all acme - -  -    -   -
tenants:write    all all -    -    -   -    all -   -    - -  -    -   -
hosts:write      all -   -    -    -   -    all -   -    - -  -    -   -
users:write      all -   -    -    -   -    all -   -    - -  -    -   -
endpoints:read   all all acme -    all acme all -   -    - -  -    -   -
security:write   all all -    -    -   -    all -   -    - -  -    all -
endpoints:write  all -   -    -    -   -    all -   -    - -  -    -   -
filtering:write  all -   -    -    -   -    all -   -    - -  -    -   -
history:read     all all acme -    all acme all -   -    - -  -    -   -
state:rollback   all -   -    -    -   -    all -   -    - -  -    -   -
files:reload     all -   -    -    -   -    all -   -    - -  -    -   -
traffic:read     all all acme -    all acme all -   -    - -  -    -   -
audit:read       all all acme -    all acme all -   -    - -  -    -   -
keys:list        all -   acme -    -   -    all -   -    - -  -    -   -
keys:read        all -   acme -    -   -    all -   -    - -  -    -   -
keys:create      all -   acme -    -   -    all -   -    - -  acme -   -
keys:update      all -   acme -    -   -    all -   -    - -  -    -   -
keys:delete      all -   acme -    -   -    all -   -    - -  -    -   -
`

func TestMay(t *testing.T) {
	rows := strings.Split(strings.TrimSpace(mayTable), "\n")
	if len(rows) != int(actionCount) {
		t.Fatalf("the table has %d actions, there are %d", len(rows), actionCount)
	}
	for a, row := range rows {
		fields := strings.Fields(row)
		if action := Action(a); fields[0] != action.String() || len(fields) != len(callers)+1 {
			t.Fatalf("row %d is %q, want %s and %d callers", a, row, action, len(callers))
		}
		for i, k := range callers {
			var may string
			for _, at := range targets {
				if By(k, netip.Addr{}).May(Action(a), at.target) {
					may += at.letter
				}
			}
			if want := letters.Replace(fields[i+1]); may != want {
				t.Errorf("%s %s %q may %s on %q, want %q", k.Role, k.Tenant, k.Permissions, Action(a), may, want)
			}
		}
	}
}

func TestMayStaffOnly(t *testing.T) {
	tests := []struct {
		name  string
		key   Key
		write bool
	}{
		{"admin", Key{Role: Admin}, true},
		{"operator", Key{Role: Operator}, true},
		{"hdp-everywhere", Key{Permissions: []string{"11", "29"}}, true},
		{"tenant-admin", Key{Role: TenantAdmin, Tenant: "acme"}, false},
		{"hdp-of-the-tenant", Key{Tenant: "acme", Permissions: []string{"11", "29"}}, false},
		{"trustx", Key{Permissions: []string{"TNT#acme#Crms:updateTenantPermittedIpAddresses"}}, false},
	}
	at := tenant("acme", "*")
	at.StaffOnly = true
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := By(&tt.key, netip.Addr{})
			if got := c.May(WriteLists, at); got != tt.write {
				t.Errorf("may write = %v, want %v", got, tt.write)
			}
			if !c.May(ReadLists, at) {
				t.Error("may not read")
			}
		})
	}
}

// What does not fit together gives nothing, even to who got it past check.
func TestMayMisfits(t *testing.T) {
	keys := []Key{
		{Role: TenantAdmin},
		{Role: User, Tenant: "acme"},
		{Role: Admin, Tenant: "acme"},
		{Role: Operator, Tenant: "acme", User: "1"},
		{Role: "root"},
		{Tenant: "acme", Permissions: []string{"12"}},
		{Tenant: "acme", Permissions: []string{"hosts:write"}},
		{Tenant: "bolt", Permissions: []string{"TNT#acme#Crms:updateTenantPermittedIpAddresses"}},
		{Tenant: "acme", User: "1", Permissions: []string{"TNT#acme#Crms:updateTenantPermittedIpAddresses"}},
	}
	for _, k := range keys {
		if g := k.grants(); len(g) > 0 {
			t.Errorf("%+v is granted %v", k, g)
		}
	}
	if (&Caller{Role: Admin}).May(ReadLists, Target{}) {
		t.Error("a caller made by hand may read")
	}
}

func TestLocal(t *testing.T) {
	root, other := Local(0, true), Local(1000, false)
	if root.Name != "root" || !root.May(RollBack, Target{}) || !root.Has("12") {
		t.Errorf("root is %+v", root)
	}
	if other.Name != "uid 1000" || other.May(WriteLists, Target{}) || !other.May(ReadLists, Target{}) {
		t.Errorf("uid 1000 is %+v", other)
	}
}

func TestHas(t *testing.T) {
	const trustx = "TNT#acme#Crms:updateTenantPermittedIpAddresses"
	asked := []string{
		"11", "12", "29", trustx, "TNT#bolt#Crms:updateTenantPermittedIpAddresses",
		"TNT#acme#ArthrServer:listTenantApiKeys", "keys:create", "lists:write", "hosts:write", "13", "",
	}
	tests := []struct {
		name string
		key  Key
		want []string
	}{
		{"admin", Key{Role: Admin}, asked[:9]},
		{"administrator", Key{Permissions: []string{"12"}}, asked[:9]},
		{"operator", Key{Role: Operator}, []string{"11", "29", trustx, asked[4], "lists:write"}},
		{
			"tenant-admin",
			Key{Role: TenantAdmin, Tenant: "acme"},
			[]string{"11", "29", trustx, asked[5], "keys:create", "lists:write"},
		},
		{"user", Key{Role: User, Tenant: "acme", User: "1"}, []string{"11", "29", "lists:write"}},
		{"reader", Key{Role: Reader}, []string{"11"}},
		{"hdp", Key{Tenant: "acme", Permissions: []string{"11", "29"}}, []string{"11", "29", trustx, "lists:write"}},
		{"hdp-without-access", Key{Permissions: []string{"29"}}, []string{"29"}},
		{"trustx", Key{Permissions: []string{trustx}}, []string{trustx}},
		{"trustx-of-another", Key{Tenant: "bolt", Permissions: []string{trustx}}, nil},
		{"unknown", Key{Permissions: []string{"13"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := By(&tt.key, netip.Addr{})
			got := slices.DeleteFunc(slices.Clone(asked), func(p string) bool { return !c.Has(p) })
			if diff := cmp.Diff(append([]string{}, tt.want...), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
