package northflank_test

import (
	"testing"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/dialect/dialecttest"
)

func TestCallers(t *testing.T) {
	const (
		same    = `{"ports": [` + portal + `}, ` + dns + `}]}`
		secured = `{"ports": [` + portal + `, "security": {"policies": [{"addresses": ["10.0.0.0/8"], "action": "ALLOW"}]}}, ` + dns + `}]}`
		another = `{"ports": [` + portal + `}, ` + dns + `}, {"name": "web", "internalPort": 81, "protocol": "HTTP"}]}`
	)
	tests := []struct {
		name                         string
		key                          access.Key
		read, same, secured, another int
	}{
		{"none", access.Key{}, 401, 401, 401, 401},
		{"blocked", access.Key{Role: access.Admin, Status: access.Blocked}, 401, 401, 401, 401},
		{"admin", access.Key{Role: access.Admin}, 200, 200, 200, 200},
		{"operator", access.Key{Role: access.Operator}, 200, 200, 200, 403},
		{"reader", access.Key{Role: access.Reader}, 200, 403, 403, 403},
		{"tenant-admin", access.Key{Role: access.TenantAdmin, Tenant: "acme"}, 200, 403, 403, 403},
		{"user", access.Key{Role: access.User, Tenant: "acme", User: "1"}, 403, 403, 403, 403},
		{"endpoints-alone", access.Key{Permissions: []string{"endpoints:write"}}, 403, 200, 403, 200},
		{"security-alone", access.Key{Permissions: []string{"security:write"}}, 403, 200, 200, 403},
		{"lists-alone", access.Key{Permissions: []string{"11", "29"}}, 403, 403, 403, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, step := range []struct {
				line, body string
				want       int
			}{
				{"GET " + defaults, "", tt.read},
				{"POST " + defaults, same, tt.same},
				{"POST " + defaults, secured, tt.secured},
				{"POST " + defaults, another, tt.another},
			} {
				r := newRig(t)
				var k dialecttest.Key
				if tt.key.Role != "" || tt.key.Permissions != nil {
					tt.key.Name = "caller"
					k = r.Key(tt.key)
				}
				w := ask(r, k, step.line, step.body)
				if w.Code != step.want {
					t.Errorf("%s %s: %s, want %d", step.line, step.body, said(w), step.want)
				}
				if refused := len(r.Refusals()); (w.Code == 401 || w.Code == 403) && refused != 1 {
					t.Errorf("%s: %d lines in the journal of a refusal, want 1", step.line, refused)
				}
			}
		})
	}
}

// A tenant's administrator sees the endpoints that serve it alone.
func TestOthersPorts(t *testing.T) {
	r := newRig(t)
	k := r.Key(access.Key{Name: "t", Role: access.TenantAdmin, Tenant: "acme"})
	const none = "200 {\n  \"data\": {\n    \"ports\": []\n  }\n}"
	if got := said(ask(r, k, "GET "+defaults, "")); got != none {
		t.Errorf("%s, want %s", got, none)
	}
}

// Whatever is sent, the answer is this API's.
func FuzzBody(f *testing.F) {
	f.Add(written)
	f.Add(`{"ports": [` + portal + `, "security": {"headers": [{"name": "a", "value": "(", "regexMode": true}]}}]}`)
	f.Add(`{"ports": [{"name": "a", "internalPort": 1, "protocol": "TCP", "domains": [{"name": null}, {"name": "app.example.com"}, 1, []]}]}`)
	r := newRig(f)
	a := admin(r)
	f.Fuzz(func(t *testing.T, text string) {
		before, _ := r.Revision()
		w := ask(r, a, "POST "+example, text)
		after, _ := r.Revision()
		switch {
		case w.Code/100 == 5 || w.Code == 0:
			t.Errorf("%q: %s", text, said(w))
		case w.Code != 200 && after != before:
			t.Errorf("%q: refused, and revision %d became %d", text, before, after)
		}
	})
}
