package access

import (
	"net/netip"
	"testing"
	"time"
)

func TestMayGrant(t *testing.T) {
	end := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	acme := Key{Role: TenantAdmin, Tenant: "acme"}
	ending := Key{Role: TenantAdmin, Tenant: "acme", Expires: end}
	maker := Key{Permissions: []string{"TNT#acme#ArthrServer:createTenantApiKey"}}
	self := Key{Role: User, Tenant: "acme", User: "1"}
	tests := []struct {
		name   string
		caller Key
		key    Key
		err    string
	}{
		{name: "admin-makes-admin", caller: Key{Role: Admin}, key: Key{Role: Admin}},
		{name: "tenant-admin-its-like", caller: acme, key: acme},
		{name: "a-user", caller: acme, key: self},
		{name: "a-reader", caller: acme, key: Key{Role: Reader, Tenant: "acme"}},
		{name: "hdp", caller: acme, key: Key{Tenant: "acme", Permissions: []string{"11", "29"}}},
		{name: "trustx", caller: acme, key: Key{Tenant: "acme", Permissions: []string{"TNT#acme#Crms:updateTenantPermittedIpAddresses"}}},
		{name: "the-key-it-has", caller: maker, key: Key{Tenant: "acme", Permissions: maker.Permissions}},
		{
			name: "more-than-the-keys-right", caller: maker, key: acme,
			err: "role: tenant-admin includes status:read, which you have not",
		},
		{
			name: "another-tenants", caller: acme, key: Key{Role: TenantAdmin, Tenant: "bolt"},
			err: `tenant: "bolt" is not your own; use acme` + "\n" +
				"role: tenant-admin includes status:read, which you have not",
		},
		{
			name: "nobodys", caller: acme, key: Key{Permissions: []string{"TNT#acme#ArthrServer:deleteFromTenant", "TNT#bolt#ArthrServer:deleteFromTenant"}},
			err: `tenant: "" is not your own; use acme` + "\n" +
				"permissions[1]: TNT#bolt#ArthrServer:deleteFromTenant includes keys:delete, which you have not",
		},
		{
			name: "the-whole-system", caller: acme, key: Key{Permissions: []string{"12"}},
			err: `tenant: "" is not your own; use acme` + "\n" +
				"permissions[0]: 12 includes status:read, which you have not",
		},
		{
			name: "other-user", caller: self, key: Key{Role: User, Tenant: "acme", User: "2"},
			err: `user: "2" is not your own; use 1` + "\n" +
				"role: user includes lists:read, which you have not",
		},
		{
			name: "operator-makes-admin", caller: Key{Role: Operator}, key: Key{Role: Admin},
			err: "role: admin includes hosts:write, which you have not",
		},
		{name: "ends-with-it", caller: ending, key: Key{Role: User, Tenant: "acme", User: "1", Expires: end}},
		{
			name: "ends-later", caller: ending, key: Key{Role: User, Tenant: "acme", User: "1", Expires: end.Add(1)},
			err: "expires: is after your own key's end, 2027-01-31T00:00:00Z; end it by then",
		},
		{
			name: "ends-never", caller: ending, key: self,
			err: "expires: is after your own key's end, 2027-01-31T00:00:00Z; end it by then",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := text(By(&tt.caller, netip.Addr{}).MayGrant(&tt.key)); got != tt.err {
				t.Errorf("MayGrant = %q, want %q", got, tt.err)
			}
		})
	}
	if err := Local(0, true).MayGrant(&Key{Role: Admin}); err != nil {
		t.Errorf("root: %v", err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
