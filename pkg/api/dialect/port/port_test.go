package port_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/dialect/dialecttest"
	"github.com/postern-io/postern/pkg/api/dialect/port"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

const (
	login = "POST /v1/auth/access_token"
	log   = "GET /v1/audit-log"
)

func newRig(t *testing.T) *dialecttest.Rig {
	t.Helper()
	var r *dialecttest.Rig
	r = dialecttest.New(t, &policy.State{}, func(c *control.Service) (*front.Way, http.Handler) {
		d := port.New(c, port.Options{Now: func() time.Time { return r.Now() }})
		return d.Way, d
	})
	for _, id := range []string{"acme", "beta"} {
		r.Write(control.EditTenant(id, func(*policy.TenantRecord) {}))
	}
	return r
}

func credentials(id, secret string) string {
	return fmt.Sprintf(`{"clientId":%q,"clientSecret":%q}`, id, secret)
}

func bearer(token string) string { return "Authorization: Bearer " + token }

func said(w *httptest.ResponseRecorder) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", w.Code, w.Body))
}

func TestToken(t *testing.T) {
	r := newRig(t)
	k := r.Key(access.Key{Name: "ci", Role: access.TenantAdmin, Tenant: "acme"})
	secret := k.Secret
	ask := func() (token string, seconds int) {
		w := r.Ask(login, credentials(k.ID, secret))
		var got struct {
			OK                     bool
			AccessToken, TokenType string
			ExpiresIn              int
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || !got.OK || got.TokenType != "Bearer" {
			t.Fatalf("%s %v", said(w), err)
		}
		return got.AccessToken, got.ExpiresIn
	}
	first, left := ask()
	if left != 3*60*60 {
		t.Errorf("it lasts %d seconds", left)
	}
	r.Pass(2 * time.Hour)
	if again, left := ask(); again != first || left != 60*60 {
		t.Errorf("after two hours another token, or not an hour left: %d", left)
	}
	if w := r.Ask(log, "", bearer(first)); w.Code != 200 {
		t.Errorf("the token: %s", said(w))
	}
	r.Pass(time.Hour)
	if w := r.Ask(log, "", bearer(first)); w.Code != 401 {
		t.Errorf("the token after three hours: %s", said(w))
	}
	if next, left := ask(); next == first || left != 3*60*60 {
		t.Errorf("after three hours: the same token %v, for %d seconds", next == first, left)
	}
	if line := r.Told()[0]; line.Action != "token.issue" || line.Actor.Name != "ci" {
		t.Errorf("journal: %s", line.Line)
	}
}

func TestRefusals(t *testing.T) {
	r := newRig(t)
	k := r.Key(access.Key{Name: "ci", Role: access.TenantAdmin, Tenant: "acme"})
	secret := k.Secret
	user := r.Key(access.Key{Name: "nobody", Tenant: "acme"}).Secret
	tests := []struct {
		name, line, body string
		headers          []string
		want             string
	}{
		{
			name: "wrong-secret", line: login, body: credentials(k.ID, user),
			want: `401 {"ok":false,"error":"unauthorized","message":"these credentials are not good"}`,
		},
		{
			name: "unknown-id", line: login, body: credentials("nobody", secret),
			want: `401 {"ok":false,"error":"unauthorized","message":"these credentials are not good"}`,
		},
		{
			name: "name-for-id", line: login, body: credentials("ci", secret),
			want: `401 {"ok":false,"error":"unauthorized","message":"these credentials are not good"}`,
		},
		{
			name: "schema", line: login, body: `{"clientID":"x","clientSecret":1}`,
			want: `422 {"ok":false,"error":"invalid_request","message":"$.clientID: no such key; did you mean clientId?\n` +
				`$.clientSecret: a number where text should be\n$.clientId: missing","details":[` +
				`{"path":"$.clientID","what":"no such key","remedy":"did you mean clientId?"},` +
				`{"path":"$.clientSecret","what":"a number where text should be"},{"path":"$.clientId","what":"missing"}]}`,
		},
		{
			name: "too-large", line: login, body: strings.Repeat(" ", 4<<10) + "{}",
			want: `413 {"ok":false,"error":"request_too_large","message":"$: the body is longer than 4096 bytes; send less at once",` +
				`"details":[{"path":"$","what":"the body is longer than 4096 bytes","remedy":"send less at once"}]}`,
		},
		{name: "nowhere", line: "GET /v1/blueprints", headers: []string{bearer(secret)}, want: `404 {"ok":false,"error":"not_found","message":"/v1/blueprints: there is nothing here"}`},
		{name: "nowhere-to-strangers", line: "GET /v1/blueprints", want: `401 {"ok":false,"error":"unauthorized","message":"credentials are missing"}`},
		{name: "no-right", line: log, headers: []string{bearer(user)}, want: `403 {"ok":false,"error":"forbidden","message":"nobody may not read audit of tenants/acme"}`},
		{
			name: "filters", line: log + "?action=create&status=OK&limit=1001&from=yesterday&includes[]=diffs&entity=a&entity=b&form=x", headers: []string{bearer(secret)},
			want: `422 {"ok":false,"error":"invalid_request","message":"` +
				`entity: it stands there more than once; keep one\n` +
				`status: \"OK\" is not FAILURE or SUCCESS\n` +
				`from: \"yesterday\" is not an RFC 3339 time with its zone; write it like 2027-01-31T00:00:00Z\n` +
				`limit: \"1001\" is not a whole number from 1 to 1000\n` +
				`action: \"create\" is not CREATE or DELETE or UPDATE; did you mean CREATE?\n` +
				`includes: \"diffs\" is not identifier or action or resourceType or status or trigger or context or diff or message; did you mean diff?\n` +
				`form: there is no such parameter; did you mean from?","details":`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := said(r.Ask(tt.line, tt.body, tt.headers...)); !strings.HasPrefix(got, tt.want) {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

// The text is that of Port's own page, for the token as for all else.
func TestAddressNotListed(t *testing.T) {
	r := newRig(t)
	k := r.Key(access.Key{Name: "ci", Role: access.TenantAdmin, Tenant: "acme"})
	secret := k.Secret
	at := policy.Place{Scope: policy.ScopeTenant, Tenant: "acme", Resource: "*"}
	r.Write(control.Replace(at, nil, dialecttest.Entries(t, "1.1.1.1", "1.1.1.0-1.1.2.250", "127.0.0.1/24")))
	r.From = "192.0.2.7"
	const text = "IP not whitelisted. Found x-forwarded-for header: 192.0.2.7, orgId: acme"
	for _, tt := range []struct{ name, line, body, accept, contentType, want string }{
		{"token", login, credentials(k.ID, secret), "*/*", "text/plain; charset=utf-8", text},
		{"log", log, "", "", "text/plain; charset=utf-8", text},
		{"json", log, "", "application/json, */*", "application/json", `{"ok":false,"error":"forbidden","message":"` + text + `"}` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := []string{"Accept: " + tt.accept}
			if tt.body == "" {
				headers = append(headers, bearer(secret))
			}
			w := r.Ask(tt.line, tt.body, headers...)
			if got := w.Body.String(); w.Code != http.StatusForbidden || got != tt.want || w.Header().Get("Content-Type") != tt.contentType {
				t.Errorf("%d %q as %s, want %q", w.Code, got, w.Header().Get("Content-Type"), tt.want)
			}
		})
	}
	r.From = "1.1.2.250"
	if w := r.Ask(login, credentials(k.ID, secret)); w.Code != http.StatusOK {
		t.Errorf("from a listed address: %s", said(w))
	}
}

func TestRate(t *testing.T) {
	r := newRig(t)
	k := r.Key(access.Key{Name: "ci", Role: access.TenantAdmin, Tenant: "acme"})
	secret := k.Secret
	for i, w := range []*httptest.ResponseRecorder{r.Ask(login, credentials(k.ID, secret)), r.Ask(log, "", bearer(secret))} {
		h := w.Header()
		got := []string{h.Get("x-ratelimit-period"), h.Get("x-ratelimit-limit"), h.Get("x-ratelimit-remaining"), h.Get("x-ratelimit-reset")}
		if diff := cmp.Diff([]string{"3600", "1000000", fmt.Sprint(999_999 - i), "3600"}, got); diff != "" {
			t.Error(diff)
		}
	}
}
