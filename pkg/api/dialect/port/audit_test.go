package port_test

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/dialect/dialecttest"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// events are an answer's, in short, the newest first.
func events(t *testing.T, body []byte) []string {
	t.Helper()
	var got struct {
		OK     bool
		Audits []struct {
			Action, ResourceType, Status string
			Context                      struct{ Entity string }
			Trigger                      struct {
				By struct{ OrgID, UserID string }
			}
		}
	}
	if err := json.Unmarshal(body, &got); err != nil || !got.OK {
		t.Fatalf("%s: %v", body, err)
	}
	lines := []string{}
	for _, e := range got.Audits {
		lines = append(lines, strings.Join([]string{e.Action, e.ResourceType, e.Status, e.Context.Entity, e.Trigger.By.OrgID, e.Trigger.By.UserID}, " "))
	}
	return lines
}

func TestAuditLog(t *testing.T) {
	r := newRig(t)
	k := r.Key(access.Key{Name: "ci", Role: access.TenantAdmin, Tenant: "acme"})
	own := k.Secret
	admin := r.Key(access.Key{Name: "boss", Role: access.Admin}).Secret
	at := policy.Place{Scope: policy.ScopeTenant, Tenant: "acme", Resource: "*"}
	caller := access.By(r.Keys.ByID(k.ID), netip.MustParseAddr(r.From))
	act := func(change control.Change) {
		r.Pass(time.Minute)
		// What is refused is in the journal too.
		_, _ = r.Control.Write(t.Context(), &control.Call{Caller: caller, Exempt: true, Force: true, Origin: "trustx"}, change)
	}
	act(control.Add(at, dialecttest.Entry(t, "10.1.0.1")))
	act(control.Add(at, dialecttest.Entry(t, "10.1.0.2")))
	act(control.Add(policy.Place{Scope: policy.ScopeTenant, Tenant: "beta", Resource: "*"}, dialecttest.Entry(t, "10.1.0.1")))
	act(control.Delete(at))

	const (
		gone    = "DELETE list SUCCESS tenants/acme/* acme ci"
		more    = "UPDATE list SUCCESS tenants/acme/* acme ci"
		made    = "CREATE list SUCCESS tenants/acme/* acme ci"
		refused = "UPDATE list FAILURE tenants/beta/* beta ci"
		acme    = "CREATE tenant SUCCESS tenants/acme acme root"
	)
	key := "CREATE key SUCCESS keys/" + k.ID + " acme root"
	minute := func(n int) string {
		return url.QueryEscape(dialecttest.Start.Add(time.Duration(n) * time.Minute).Format(time.RFC3339))
	}
	tests := []struct {
		name, secret, query string
		want                []string
	}{
		{"all-of-one-s-own", own, "", []string{gone, more, made, key, acme}},
		{"a-stranger-s-attempt-is-not-told", own, "status=FAILURE", []string{}},
		{"staff-see-it", admin, "status=FAILURE", []string{refused}},
		{"entity", own, "entity=tenants/acme/*", []string{gone, more, made}},
		{"identifier-of-a-record", own, "identifier=keys/" + k.ID, []string{key}},
		{"action-and-limit", own, "action=CREATE&limit=2", []string{made, key}},
		{"from-and-to", own, "from=" + minute(1) + "&to=" + minute(2), []string{made}},
		{"resources", own, "resources=tenant&resources=key", []string{key, acme}},
		{"origin", own, "origin[]=TrustX&origin[]=UI", []string{gone, more, made}},
		{"and", own, "origin=trustx&action=UPDATE&status=SUCCESS&entity=tenants/acme/*", []string{more}},
		{"blueprint", own, "blueprint=microservice", []string{}},
		{"run", own, "run_id=r_1", []string{}},
		{"webhook", own, "webhookId=w", []string{}},
		{"unknown-resource", own, "resources=scorecard", []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := r.Ask(log+"?"+tt.query, "", bearer(tt.secret))
			if diff := cmp.Diff(tt.want, events(t, w.Body.Bytes())); diff != "" {
				t.Error(diff)
			}
		})
	}

	t.Run("one-whole", func(t *testing.T) {
		w := r.Ask(log+"?action=UPDATE", "", bearer(own))
		var got struct{ Audits []struct{ Identifier string } }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		id := got.Audits[0].Identifier
		want := `200 {"ok":true,"audits":[{"identifier":"` + id + `","action":"UPDATE","resourceType":"list","status":"SUCCESS",` +
			`"trigger":{"by":{"orgId":"acme","userId":"ci"},"origin":"trustx","at":"2026-06-01T00:02:00Z"},"context":{"entity":"tenants/acme/*"},` +
			`"diff":{"before":{"tenants/acme/*":{"state":"on","entries":[],"same":1}},"after":{"tenants/acme/*":{"state":"on","entries":[{"address":"10.1.0.2"}],"same":1}}},"message":""}]}`
		if got := said(r.Ask(log+"?identifier="+id, "", bearer(own))); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		want = `200 {"ok":true,"audits":[{"identifier":"` + id + `","status":"SUCCESS","context":{"entity":"tenants/acme/*"}}]}`
		if got := said(r.Ask(log+"?includes[]=context&includes[]=status&identifier="+id, "", bearer(own))); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	})
}

// Every operation by every kind of caller. What a good caller is told is its own.
func TestCallers(t *testing.T) {
	tests := []struct {
		name  string
		key   access.Key
		token int // the status of a request for one
		log   int
	}{
		{"blocked", access.Key{Role: access.Admin, Status: access.Blocked}, 401, 401},
		{"archived", access.Key{Role: access.Admin, Status: access.Archived}, 401, 401},
		{"expired", access.Key{Role: access.Admin, Expires: dialecttest.Start.Add(time.Minute)}, 401, 401},
		{"other-tenant", access.Key{Role: access.TenantAdmin, Tenant: "beta"}, 200, 200},
		{"tenant-admin", access.Key{Role: access.TenantAdmin, Tenant: "acme"}, 200, 200},
		{"tenant-reader", access.Key{Role: access.Reader, Tenant: "acme"}, 200, 200},
		{"user", access.Key{Role: access.User, Tenant: "acme", User: "1"}, 200, 403},
		{"permitted", access.Key{Tenant: "acme", Permissions: []string{"audit:read"}}, 200, 200},
		{"not-permitted", access.Key{Tenant: "acme", Permissions: []string{"lists:read"}}, 200, 403},
		{"reader", access.Key{Role: access.Reader}, 200, 200},
		{"operator", access.Key{Role: access.Operator}, 200, 200},
		{"admin", access.Key{Role: access.Admin}, 200, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.Write(control.PutUser("acme", "1", ""))
			tt.key.Name = tt.name
			k := r.Key(tt.key)
			secret := k.Secret
			token := r.Token(k)
			if tt.name == "expired" {
				r.Pass(time.Minute)
			}
			if w := r.Ask(login, credentials(k.ID, secret)); w.Code != tt.token {
				t.Errorf("token: %s", said(w))
			}
			for _, shown := range []string{secret, token} {
				w := r.Ask(log, "", bearer(shown))
				if w.Code != tt.log {
					t.Errorf("log: %s, want %d", said(w), tt.log)
				}
				if w.Code != 200 || tt.key.Tenant == "" {
					continue
				}
				for _, line := range events(t, w.Body.Bytes()) {
					if org := strings.Fields(line)[4]; org != tt.key.Tenant {
						t.Errorf("a key of %s is told of %s", tt.key.Tenant, line)
					}
				}
			}
		})
	}
	r := newRig(t)
	k := r.Key(access.Key{Name: "admin", Role: access.Admin})
	token := r.Token(k)
	if w := r.Ask(log, ""); w.Code != 401 {
		t.Errorf("nobody: %s", said(w))
	}
	if w := r.Ask(log, "", bearer(token[:len(token)/2]+token[len(token)/2+1:])); w.Code != 401 {
		t.Errorf("tampered: %s", said(w))
	}
}

func FuzzAuditLog(f *testing.F) {
	f.Add("action=CREATE&from=2026-01-01T00:00:00Z&origin[]=UI")
	f.Add("limit=0&;=%zz")
	f.Add("includes[]=diff&includes=x&resources=")
	f.Fuzz(func(t *testing.T, query string) {
		if strings.ContainsFunc(query, func(c rune) bool { return c <= ' ' || c > '~' || c == '#' }) {
			t.Skip("net/http lets no such query through")
		}
		r := newRig(t)
		secret := r.Key(access.Key{Name: "admin", Role: access.Admin}).Secret
		w := r.Ask(log+"?"+query, "", bearer(secret))
		if w.Code != 200 && w.Code != 422 {
			t.Fatal(said(w))
		}
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got["ok"] != (w.Code == 200) {
			t.Fatalf("%s %v", said(w), err)
		}
	})
}
