package api

import (
	"encoding/json"
	"testing"

	"github.com/postern-io/postern/pkg/access"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/policy"
)

// TestApplyExported has callers of tenants apply what they exported.
func TestApplyExported(t *testing.T) {
	w := newWorld(t, nil)
	s := *w.Table().State
	s.System = nil // who may call the API is another test's
	staff := *s.Tenants.Get("acme")
	staff.ID, staff.Hosts, staff.StaffOnly = "staff", nil, true
	s.Tenants = s.Tenants.With("staff", &staff)
	w.put(t, &s)
	for _, tenant := range []string{"acme", "globex", "staff"} {
		t.Run(tenant, func(t *testing.T) {
			secret := w.key(access.Key{Name: tenant, Tenant: tenant, Role: access.TenantAdmin})
			var found struct{ Documents []json.RawMessage }
			body := w.do("GET /export?format=json", secret).into(200, &found).Body.String()
			var done v1.Written
			w.do("POST /apply", secret, body).into(200, &done)
			if len(found.Documents) != 1 || len(done.Names) != 0 {
				t.Errorf("%s changed %q", body, done.Names)
			}
		})
	}
	secret := w.key(access.Key{Name: "admin", Tenant: "acme", Role: access.TenantAdmin})
	for _, body := range []string{
		`{"documents": [{"tenant": "acme", "hosts": ["evil.example.com"]}]}`,
		`{"documents": [{"tenant": "acme", "name": "Evil"}]}`,
		`{"documents": [{"tenant": "globex", "name": "Evil"}]}`,
	} {
		w.do("POST /apply", secret, body).problem(403)
	}
	root := `{"documents": [{"tenant": "globex", "name": "Globex"}]}`
	if p := w.do("POST /apply", root).problem(409); p.Type != v1.ProblemTypeUrnPosternFileOwned {
		t.Errorf("a file's record: %+v", p)
	}
	if l := w.Table().State.ListAt(policy.Place{Scope: policy.ScopeTenant, Tenant: "globex", Resource: "*"}); l.Owner == "" {
		t.Error("the file's list is the store's")
	}
}
