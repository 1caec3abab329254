package hdp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/dialect/dialecttest"
	"github.com/postern-io/postern/pkg/api/dialect/hdp"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

const (
	systemPath = "/api/admin/security/whitelist/system"
	tenantPath = "/api/admin/security/whitelist/tenants/2"
	userPath   = "/api/mgmt/security/whitelist/user"
	switchPath = "/api/admin/configurations/8"
)

// newRig is the API over two tenants, 2 with users 1 (Ann) and 7, and 3 with user
// 1 (Bob).
func newRig(t testing.TB) *dialecttest.Rig {
	t.Helper()
	tenant := func(id, name string, users map[string]string) *policy.Tenant {
		return &policy.Tenant{ID: id, Name: name, Names: users, Stored: true}
	}
	s := &policy.State{Resources: []string{"reports"}, Tenants: policy.MapOf(map[string]*policy.Tenant{
		"2":    tenant("2", "Tenant2", map[string]string{"1": "Ann", "7": ""}),
		"3":    tenant("3", "", map[string]string{"1": "Bob"}),
		"acme": tenant("acme", "Acme", nil),
	})}
	return dialecttest.New(t, s, dialect)
}

func dialect(c *control.Service) (*front.Way, http.Handler) {
	d := hdp.New(c, hdp.Options{})
	return d.Way, d
}

func admin(r *dialecttest.Rig) dialecttest.Key {
	return r.Key(access.Key{Name: "d2cadmin", Role: access.Admin})
}

// ask is an answer's status and body.
func ask(r *dialecttest.Rig, k dialecttest.Key, line, body string) string {
	return said(r.Do(dialecttest.Request{Line: line, Body: body, Key: k}))
}

func said(w *httptest.ResponseRecorder) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", w.Code, w.Body))
}

// refusal is an answer that refuses.
func refusal(status, code int, text string) string {
	return fmt.Sprintf(`%d {"error":{"code":%d,"message":{"lang":"en-US","value":%q}}}`, status, code, text)
}

// The seed's own bytes.
const (
	untouched = `{
"managementAPI": [],
"adminAPI": [],
"dataAccess": [],
"webUI": []
}`
	systemLists = `{
"managementAPI": [
{
"startAddress": "10.20.30.0",
"endAddress": "10.20.30.10"
}
],
"adminAPI": [
{
"startAddress": "10.20.30.0",
"endAddress": "10.20.40.20"
}
],
"dataAccess": [
{
"startAddress": "10.20.30.0",
"endAddress": "10.20.50.20"
}
],
"webUI": null
}`
	tenantLists = `{
"managementAPI": [
{
"startAddress": "10.20.30.0",
"endAddress": "10.20.30.5"
}
],
"adminAPI": [
{
"startAddress": "10.20.30.0",
"endAddress": "10.20.40.5"

}
],
"dataAccess": [
{
"startAddress": "10.20.30.0",
"endAddress": "10.20.50.5"
}
],
"webUI": null
}`
	userLists = `{
"managementAPI": [
{
"startAddress": "10.20.30.2"
}
],
"adminAPI": [
{
"startAddress": "10.20.30.2"
}
],
"dataAccess": [
{
"startAddress": "10.20.30.2"
}
]
}`
)

func TestSeed(t *testing.T) {
	r := newRig(t)
	a := admin(r)
	shown := func(lists string) string {
		lists = strings.ReplaceAll(lists, "\n\n", "\n")
		if !strings.Contains(lists, "webUI") {
			lists = strings.TrimSuffix(lists, "\n}") + ",\n\"webUI\": null\n}"
		}
		return "200 " + strings.Replace(lists, "null", "[]", 1)
	}
	for _, step := range []struct{ line, body, want string }{
		{"GET " + systemPath, "", "200 " + untouched},
		{"POST " + systemPath, systemLists, shown(systemLists)},
		{"GET " + systemPath, "", shown(systemLists)},
		{"POST " + tenantPath, tenantLists, shown(tenantLists)},
		{"GET " + tenantPath, "", shown(tenantLists)},
		{"POST " + userPath + "?user=Ann", userLists, shown(userLists)},
		{"GET " + userPath + "?user=Ann", "", shown(userLists)},
		{"GET /api/admin/security/whitelist/tenants", "", `200 {
"appliedWhiteLists": [
{
"id": 2,
"name": "Tenant2",
"protectedResources": [
"managementAPI",
"adminAPI",
"dataAccess"
]
}
]
}`},
		{"GET /api/admin/security/whitelist/users", "", `200 {
"appliedWhiteLists": [
{
"id": 1,
"name": "Ann",
"protectedResources": [
"managementAPI",
"adminAPI",
"dataAccess"
]
}
]
}`},
	} {
		if diff := cmp.Diff(step.want, ask(r, a, step.line, step.body)); diff != "" {
			t.Fatalf("%s:\n%s", step.line, diff)
		}
	}
	chain(t, r)
}

// chain is the AND of the levels, address by address.
func chain(t *testing.T, r *dialecttest.Rig) {
	t.Helper()
	for _, tt := range []struct {
		tenant, user, addr string
		want               bool
		scope              policy.Scope
	}{
		{"2", "1", "10.20.30.2", true, policy.NoScope},
		{"2", "1", "10.20.30.5", false, policy.ScopeUser},
		{"2", "7", "10.20.30.5", true, policy.NoScope},
		{"2", "1", "10.20.30.6", false, policy.ScopeTenant},
		{"2", "1", "10.20.30.11", false, policy.ScopeSystem},
		{"3", "1", "10.20.30.6", true, policy.NoScope},
		{"3", "1", "2001:db8::1", false, policy.ScopeSystem},
		{"2", "1", "::ffff:10.20.30.2", false, policy.ScopeSystem},
	} {
		v := r.Table().Decide(policy.Query{
			Tenant: tt.tenant, User: tt.user, Resource: "managementAPI", Addr: netip.MustParseAddr(tt.addr),
		})
		if v.Allow != tt.want || !v.Allow && v.Scope != tt.scope {
			t.Errorf("user %s of %s from %s: allow %t at %s, want %t at %s", tt.user, tt.tenant, tt.addr, v.Allow, v.Scope, tt.want, tt.scope)
		}
	}
	if v := r.Table().Decide(policy.Query{Tenant: "2", User: "1", Resource: "webUI", Addr: netip.MustParseAddr("192.0.2.1")}); !v.Allow {
		t.Errorf("the Web UI is closed by %s", v.Scope)
	}
}

// A caller is judged by the lists it has written, at once.
func TestBlocked(t *testing.T) {
	r := newRig(t)
	a := admin(r)
	ask(r, a, "POST "+systemPath, systemLists)
	for _, tt := range []struct{ from, line, want string }{
		{"10.20.30.11", "GET " + userPath + "?user=Ann", refusal(403, 222208742, "IP not whitelisted. Found x-forwarded-for header: 10.20.30.11, orgId: none")},
		{"10.20.30.11", "GET " + systemPath, "200"},
		{"10.20.40.21", "GET " + systemPath, refusal(403, 222208742, "IP not whitelisted. Found x-forwarded-for header: 10.20.40.21, orgId: none")},
		{"127.0.0.1", "GET " + systemPath, "200"},
		{"::1", "GET " + userPath + "?user=Ann", "200"},
	} {
		if got := said(r.Do(dialecttest.Request{Line: tt.line, Key: a, From: tt.from})); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s from %s: %s, want %s", tt.line, tt.from, got, tt.want)
		}
	}
}

func TestReplace(t *testing.T) {
	const a, b = `{"startAddress": "10.20.30.0", "endAddress": "10.20.30.255"}`, `{"startAddress": "192.0.2.1"}`
	tests := []struct {
		name, line, body string
		want             string // of 2's managementAPI and dataAccess lists, as kept
	}{
		{"one", "POST " + tenantPath, `{"dataAccess": [` + b + `]}`, "10.20.30.0/24 | 192.0.2.1"},
		{"none", "POST " + tenantPath, `{}`, "10.20.30.0/24 | 192.0.2.0-192.0.2.9"},
		{"put-is-post", "PUT " + tenantPath, `{"managementAPI": [` + b + `]}`, "192.0.2.1 | 192.0.2.0-192.0.2.9"},
		{"null", "PUT " + tenantPath, `{"managementAPI": null}`, " | 192.0.2.0-192.0.2.9"},
		{"empty", "POST " + tenantPath, `{"dataAccess": []}`, "10.20.30.0/24 | "},
		{"same-addresses", "POST " + tenantPath, `{"managementAPI": [` + b + `,` + a + `]}`, "192.0.2.1 10.20.30.0/24 | 192.0.2.0-192.0.2.9"},
		{"end-null", "POST " + tenantPath, `{"dataAccess": [{"startAddress": "192.0.2.1", "endAddress": null}]}`, "10.20.30.0/24 | 192.0.2.1"},
		{"web-ui-says-nothing", "POST " + tenantPath, `{"webUI": [], "dataAccess": null}`, "10.20.30.0/24 | "},
		{"delete", "DELETE " + tenantPath, "", " | "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.List("tenants/2/managementAPI", dialecttest.Entry(t, "10.20.30.0/24"))
			r.List("tenants/2/dataAccess", dialecttest.Entry(t, "192.0.2.0-192.0.2.9"))
			w := r.Do(dialecttest.Request{Line: tt.line, Body: tt.body, Key: admin(r)})
			if w.Code != 200 && (w.Code != 204 || w.Body.Len() > 0) {
				t.Fatal(said(w))
			}
			lists := r.Table().State.Tenants.Get("2").Lists
			if got := texts(lists["managementAPI"]) + " | " + texts(lists["dataAccess"]); got != tt.want {
				t.Errorf("kept %q, want %q", got, tt.want)
			}
		})
	}
}

func texts(l *policy.List) string {
	var all []string
	if l != nil {
		for _, e := range l.Entries {
			all = append(all, e.Text)
		}
	}
	return strings.Join(all, " ")
}

func TestMistakes(t *testing.T) {
	const whole = `{"dataAccess": [{"startAddress": "10.0.0.300"}, {"startAddress": "10.0.0.2", "endAddress": "10.0.0.1"}, {"endAddress": "10.0.0.1"}, {"startAddress": "10.0.0.1", "endAddress": "2001:db8::1"}], "manegementAPI": [], "webUI": [{"startAddress": "10.0.0.1"}]}`
	tests := []struct{ name, line, body, want string }{
		{"all-at-once", "POST " + tenantPath, whole, refusal(400, 222208731, strings.Join([]string{
			"$.dataAccess[0]: address 10.0.0.300: 300 is more than 255",
			"$.dataAccess[1]: range 10.0.0.2-10.0.0.1: ends before it starts",
			"$.dataAccess[2].startAddress: missing",
			"$.dataAccess[3]: range 10.0.0.1-2001:db8::1: begins with IPv4 and ends with IPv6",
			"$.manegementAPI: no such key; did you mean managementAPI?",
			"$.webUI: webUI has a list at the system level only; leave it out, or write null",
		}, "\n"))},
		{"no-json", "PUT " + systemPath, "hello", refusal(400, 222208731, `$: line 1, column 1: 'h' stands where a value should be`)},
		{"no-such-tenant", "GET /api/admin/security/whitelist/tenants/9", "", refusal(404, 222208720, "tenant id : 9 does not exist.")},
		{"no-such-tenant-to-write", "POST /api/admin/security/whitelist/tenants/9", "{}", refusal(404, 222208720, "tenant id : 9 does not exist.")},
		{"no-such-user", "GET " + userPath + "/9", "", refusal(404, 222208721, "user : 9 does not exist.")},
		{"no-such-name", "DELETE " + userPath + "?user=Zoe", "", refusal(404, 222208721, "user : Zoe does not exist.")},
		{"two-users", "GET " + userPath + "/1", "", refusal(409, 222208755, `user "1" may be 1 of tenant 2 or 1 of tenant 3; call as the tenant's own administrator, or use the native API`)},
		{"no-user-itself", "GET " + userPath, "", refusal(400, 222208731, "d2cadmin is no user and has no lists of its own; name a user, as in ?user=NAME")},
		{"nobody", "DELETE " + userPath + "?user=", "", refusal(400, 222208731, "user is empty; name one, or leave it out")},
		{"misspelt-parameter", "DELETE " + userPath + "?usr=Ann", "", refusal(400, 222208731, "usr: there is no such parameter; did you mean user?")},
		{"switch", "PUT " + switchPath, `{"value": false}`, refusal(400, 222208731, "$.value: true or false where text should be")},
		{"no-path", "GET /api/admin/configurations/9", "", refusal(404, 222208722, "/api/admin/configurations/9: there is nothing here")},
		{"no-straight-path", "GET /api/x/../mgmt/security/whitelist/user", "", refusal(404, 222208722, "/api/x/../mgmt/security/whitelist/user: there is nothing here; write /api/mgmt/security/whitelist/user")},
		{"no-method", "DELETE " + switchPath, "", refusal(405, 222208723, "DELETE is nothing to do here; there is GET, PUT")},
	}
	r := newRig(t)
	a := admin(r)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ask(r, a, tt.line, tt.body)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if number, _ := r.Revision(); number != 1 {
		t.Errorf("revision %d, want 1: nothing was to be applied", number)
	}
}

func TestSwitch(t *testing.T) {
	r := newRig(t)
	a := admin(r)
	answer := func(value string) string {
		return "200 {\n\"id\": 8,\n\"description\": \"Whether IP whitelists are applied. The default is \\\"true\\\".\",\n\"value\": \"" + value + "\"\n}"
	}
	r.List("tenants/2/dataAccess", dialecttest.Entry(t, "192.0.2.1"))
	for _, step := range []struct{ line, body, want string }{
		{"GET " + switchPath, "", "true"},
		{"PUT " + switchPath, `{"value":"false"}`, "false"},
		{"GET " + switchPath, "", "false"},
		{"PUT " + switchPath, `{"value":"true"}`, "true"},
	} {
		if diff := cmp.Diff(answer(step.want), ask(r, a, step.line, step.body)); diff != "" {
			t.Fatalf("%s:\n%s", step.line, diff)
		}
		if off := r.Table().State.FilteringOff; off != (step.want == "false") {
			t.Errorf("%s: filtering off is %t", step.line, off)
		}
	}
}
