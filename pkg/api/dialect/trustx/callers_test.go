package trustx_test

import (
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/dialect/dialecttest"
)

// kinds are the keys of the callers that have a good one.
var kinds = map[string]access.Key{
	"other-tenant-s-admin":   {Role: access.TenantAdmin, Tenant: "beta"},
	"other-tenant-s-updater": {Tenant: "beta", Permissions: []string{"TNT#beta#Crms:updateTenantPermittedIpAddresses"}},
	"own-updater":            {Tenant: "acme", Permissions: []string{"TNT#acme#Crms:updateTenantPermittedIpAddresses"}},
	"own-lister":             {Permissions: []string{"TNT#acme#ArthrServer:listTenantApiKeys"}},
	"own-key-reader":         {Permissions: []string{"TNT#acme#ArthrServer:getFromTenant"}},
	"own-key-creator":        {Permissions: []string{"TNT#acme#ArthrServer:createTenantApiKey"}},
	"own-key-updater":        {Permissions: []string{"TNT#acme#ArthrServer:updateTenantApiKey"}},
	"own-key-deleter":        {Permissions: []string{"TNT#acme#ArthrServer:deleteFromTenant"}},
	"own-user":               {Role: access.User, Tenant: "acme", User: "1"},
	"own-reader":             {Role: access.Reader, Tenant: "acme"},
	"own-admin":              {Role: access.TenantAdmin, Tenant: "acme"},
	"reader":                 {Role: access.Reader},
	"operator":               {Role: access.Operator},
	"admin":                  {Role: access.Admin},
}

// shows are the headers that a kind of caller sends.
func shows(t *testing.T, r *dialecttest.Rig, kind string) []string {
	t.Helper()
	k := access.Key{Role: access.Admin}
	if good, ok := kinds[kind]; ok {
		k = good
	}
	if kind == "own-admin-s-token" {
		k = kinds["own-admin"]
	}
	k.Name = kind
	if kind == "expired" {
		k.Expires = r.Now().Add(time.Minute)
	}
	made := r.Key(k)
	secret := made.Secret
	token := r.Token(made)
	switch kind {
	case "none":
		return nil
	case "wrong-secret":
		other := r.Key(access.Key{Name: "other"})
		theirs := other.Secret
		return []string{bearer(strings.ReplaceAll(theirs, other.ID, made.ID))}
	case "tampered-token":
		return []string{bearer(tampered(token))}
	case "expired-token":
		r.Pass(time.Hour)
		return []string{bearer(token)}
	case "expired":
		r.Pass(time.Hour)
	case "blocked", "archived":
		status := map[string]access.Status{"blocked": access.Blocked, "archived": access.Archived}[kind]
		edit(t, r, made.ID, func(k *access.Key) { k.Status = status })
	case "deleted":
		if err := r.Control.DeleteKey(r.Root(), made.ID); err != nil {
			t.Fatal(err)
		}
	case "own-admin-s-token":
		return []string{bearer(token)}
	}
	return []string{"X-API-Key: " + secret}
}

// tampered is a token with another first bit in its signature.
func tampered(token string) string {
	at := strings.LastIndexByte(token, '.') + 1
	first := byte('A')
	if token[at] == first {
		first = 'g'
	}
	return token[:at] + string(first) + token[at+1:]
}

func edit(t *testing.T, r *dialecttest.Rig, id string, change func(*access.Key)) {
	t.Helper()
	_, err := r.Control.UpdateKey(r.Root(), id, func(k *access.Key) error { change(k); return nil })
	if err != nil {
		t.Fatal(err)
	}
}
