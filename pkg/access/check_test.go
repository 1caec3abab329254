package access

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCheck(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Key)
		err  string
	}{
		{name: "good", edit: func(*Key) {}},
		{name: "reader-of-a-tenant", edit: func(k *Key) { k.Role, k.Tenant = Reader, "acme" }},
		{name: "longest-name", edit: func(k *Key) { k.Name = strings.Repeat("é", 255) }},
		{name: "no-name", edit: func(k *Key) { k.Name = "" }, err: "name: is missing"},
		{name: "long-name", edit: func(k *Key) { k.Name = strings.Repeat("n", 256) }, err: "name: has 256 characters; use at most 255"},
		{
			name: "colon", edit: func(k *Key) { k.Name = "a:b" },
			err: `name: "a:b" has a colon; leave the colon out: HTTP Basic ends a name there`,
		},
		{name: "newline", edit: func(k *Key) { k.Description = "a\nb" }, err: "description: has bytes that are no text; use printable text"},
		{name: "not-utf8", edit: func(k *Key) { k.Name = "\xff" }, err: "name: has bytes that are no text; use printable text"},
		{name: "type", edit: func(k *Key) { k.Type = "PERMANENTLY" }, err: `type: "PERMANENTLY" is unknown; did you mean PERMANENT?`},
		{name: "status", edit: func(k *Key) { k.Status = "gone" }, err: `status: "gone" is unknown; use ACTIVE, BLOCKED, ARCHIVED`},
		{name: "role", edit: func(k *Key) { k.Role = "oprator" }, err: `role: "oprator" is unknown; did you mean operator?`},
		{
			name: "tenant-admin-of-nothing", edit: func(k *Key) { k.Role = TenantAdmin },
			err: "role: tenant-admin is not for a key without a tenant; name a tenant, and no user",
		},
		{
			name: "user-of-a-tenant", edit: func(k *Key) { k.Role, k.Tenant = User, "acme" },
			err: "role: user is not for a key of a tenant; name a tenant and its user",
		},
		{
			name: "admin-of-a-tenant", edit: func(k *Key) { k.Role, k.Tenant = Admin, "acme" },
			err: "role: admin is not for a key of a tenant; leave tenant and user out",
		},
		{
			name: "user-without-tenant", edit: func(k *Key) { k.User = "1" },
			err: "tenant: is missing; name the user's tenant",
		},
		{
			name: "ids", edit: func(k *Key) { k.Tenant, k.User = "a/b", ".." },
			err: `tenant: "a/b" is no id; use letters, digits and . _ -, at most 64, a letter or digit first` + "\n" +
				`user: ".." is no id; use letters, digits and . _ -, at most 64, a letter or digit first`,
		},
		{
			name: "permission-twice", edit: func(k *Key) { k.Permissions = []string{"11", "29", "11"} },
			err: "permissions[2]: 11 stands there already; keep one of them",
		},
		{
			name: "too-many-permissions", edit: func(k *Key) { k.Permissions = slices.Repeat([]string{"29"}, 101) },
			err: "permissions: there are 101; use at most 100",
		},
		{
			name: "permissions", edit: func(k *Key) {
				k.Tenant = "acme"
				k.Permissions = []string{"11", "lists:wirte", "12", "TNT#bolt#ArthrServer:getFromTenant", "TNT#{tenant}#ArthrServer:getFromTenant"}
			},
			err: `permissions[1]: "lists:wirte" is no permission; did you mean lists:write?` + "\n" +
				"permissions[2]: 12 is for the whole system\n" +
				"permissions[3]: TNT#bolt#ArthrServer:getFromTenant is for another tenant than the key's\n" +
				`permissions[4]: "TNT#{tenant}#ArthrServer:getFromTenant": tenant "{tenant}" is no id; put the tenant's id between the two #`,
		},
		{
			name: "tenants-permission-to-a-user", edit: func(k *Key) {
				k.Tenant, k.User, k.Permissions = "acme", "1", []string{"TNT#acme#ArthrServer:getFromTenant"}
			},
			err: "permissions[0]: TNT#acme#ArthrServer:getFromTenant is for a whole tenant, the key for a user",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := Key{Name: "ci", Type: Permanent, Status: Active}
			tt.edit(&k)
			if got := text(k.check().err()); got != tt.err {
				t.Errorf("check = %q, want %q", got, tt.err)
			}
		})
	}
}

func TestParsePermission(t *testing.T) {
	tests := []struct{ name, in, err string }{
		{name: "access", in: "11"},
		{name: "admin", in: "12"},
		{name: "lists", in: "29"},
		{name: "native", in: "security:write"},
		{name: "trustx", in: "TNT#acme#Crms:updateTenantPermittedIpAddresses"},
		{
			name: "near", in: "TNT#acme#Crms:updateTenantPermittedIPAddress",
			err: `"TNT#acme#Crms:updateTenantPermittedIPAddress": operation "Crms:updateTenantPermittedIPAddress" is unknown; ` +
				"did you mean Crms:updateTenantPermittedIpAddresses?",
		},
		{
			name: "far", in: "TNT#acme#ProcessManager:start",
			err: `"TNT#acme#ProcessManager:start": operation "ProcessManager:start" is unknown; those known are ` +
				"Crms:updateTenantPermittedIpAddresses, ArthrServer:listTenantApiKeys, ArthrServer:createTenantApiKey, " +
				"ArthrServer:getFromTenant, ArthrServer:updateTenantApiKey, ArthrServer:deleteFromTenant",
		},
		{name: "no-operation", in: "TNT#acme", err: `"TNT#acme" names no operation; write TNT#tenant#Service:operation`},
		{
			name: "number", in: "13",
			err: `"13" is no permission; use 11, 12, 29, TNT#tenant#Service:operation, ` + strings.Join(natives(), ", "),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, wrong := parsePermission(tt.in)
			var got string
			if wrong != nil {
				got = wrong.what + "; " + wrong.remedy
			}
			if got != tt.err {
				t.Errorf("parsePermission(%q) = %q, want %q", tt.in, got, tt.err)
			}
		})
	}
}

func FuzzParsePermission(f *testing.F) {
	for _, seed := range []string{"11", "TNT#acme#Crms:updateTenantPermittedIpAddresses", "TNT##", "lists:read", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		p, wrong := parsePermission(in)
		k := Key{Permissions: []string{in}}
		if wrong != nil && (wrong.what == "" || len(k.grants()) > 0) {
			t.Errorf("parsePermission(%q) is %+v and gives %v", in, wrong, k.grants())
		}
		if wrong == nil && p.actions == 0 {
			t.Errorf("parsePermission(%q) is for nothing", in)
		}
	})
}

func TestKeyJSON(t *testing.T) {
	k := Key{
		ID: "00aa", Name: "ci", Type: Session, Status: Active, Role: Operator, Permissions: []string{"11"},
		Created: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), CreatedBy: "root", Hash: hashOf("x"),
	}
	stored, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"00aa","name":"ci","type":"SESSION","status":"ACTIVE","role":"operator","permissions":["11"],` +
		`"created":"2026-07-01T00:00:00Z","createdBy":"root",` +
		`"hash":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}`
	if diff := cmp.Diff(want, string(stored)); diff != "" {
		t.Error(diff)
	}
	var back Key
	if err := json.Unmarshal(stored, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(k, back); diff != "" {
		t.Error(diff)
	}
	if err := new(Hash).UnmarshalText([]byte("2d71")); text(err) != "hash of 4 characters, want 64" {
		t.Errorf("a short hash: %v", err)
	}
}
