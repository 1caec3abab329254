package front_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// plain words refusals in their status and message.
var plain = &front.Way{
	Origin: "api", Challenge: "Bearer", Open: isPublic,
	Envelope: func(_ *http.Request, no *front.Refusal) (string, any) {
		return "application/json", json.RawMessage(`"` + no.Word + ": " + no.Message + `"`)
	},
}

func isPublic(r *http.Request) bool { return r.URL.Path == "/public" }

const text = "IP not whitelisted. Found x-forwarded-for header: "

func TestAdmission(t *testing.T) {
	r := newRig(t, plain)
	token := r.keys.Issue(r.keys.ByID(r.admin.id), 1000*time.Hour).Text
	basic := func(name, secret string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secret))
	}
	const (
		get     = "GET /api/v1/status"
		missing = `401 "unauthenticated: credentials are missing"`
		bad     = `401 "unauthenticated: these credentials are not good"`
	)
	tests := []struct {
		name, from, line string
		headers          []string
		want             string
	}{
		// Who it is.
		{"secret-as-bearer", "10.2.0.1", get, []string{bearer(r.admin)}, "200 root-key"},
		{"token-as-bearer", "10.2.0.1", get, []string{"Authorization: bearer " + token}, "200 root-key"},
		{"basic", "10.2.0.1", get, []string{basic("root-key", r.admin.secret)}, "200 root-key"},
		{"api-key", "10.2.0.1", get, []string{"X-API-Key: " + r.admin.secret}, "200 root-key"},
		{"unix", "", get, nil, "200 root"},
		{"unix-with-a-key", "", get, []string{bearer(r.acme)}, "200 acme-key"},
		{"nobody", "10.2.0.1", get, nil, missing},
		{"nobody-to-what-is-public", "10.2.0.1", "GET /public", nil, "200 nobody"},
		{"wrong-secret", "10.2.0.2", get, []string{basic("root-key", r.acme.secret)}, bad},
		{"unknown-name", "10.2.0.2", get, []string{basic("nobody", r.acme.secret)}, bad},
		{"blocked", "10.2.0.2", get, []string{bearer(r.blocked)}, bad},
		{"tampered", "10.2.0.2", get, []string{"Authorization: Bearer " + tampered(token)}, bad},
		{"unknown-scheme", "10.2.0.2", get, []string{"Authorization: Digest x"}, bad},
		{"two-at-once", "10.2.0.2", get, []string{bearer(r.admin), "X-API-Key: " + r.admin.secret}, bad},
		{"bad-to-what-is-public", "10.2.0.2", "GET /public", []string{"X-API-Key: x"}, bad},

		// From where: the system's list before any credential.
		{"system-refuses", "11.0.0.1", get, []string{bearer(r.admin)}, `403 "not-listed: ` + text + `11.0.0.1, orgId: none"`},
		{"system-refuses-nobody", "11.0.0.1", "GET /public", nil, `403 "not-listed: ` + text + `11.0.0.1, orgId: none"`},
		{"administration-has-its-own", "10.2.0.1", "GET /api/admin/x", []string{bearer(r.admin)}, `403 "not-listed: ` + text + `10.2.0.1, orgId: none"`},
		{"administration-admits", "10.9.0.1", "GET /api/admin/x", []string{bearer(r.admin)}, "200 root-key"},
		{"tenant-admits", "10.1.0.9", get, []string{bearer(r.acme)}, "200 acme-key"},
		{"tenant-refuses", "10.2.0.1", get, []string{bearer(r.acme)}, `403 "not-listed: ` + text + `10.2.0.1, orgId: acme"`},
		{"user-admits", "10.1.1.1", get, []string{bearer(r.user)}, "200 user-key"},
		{"user-refuses", "10.1.0.9", get, []string{bearer(r.user)}, `403 "not-listed: ` + text + `10.1.0.9, orgId: acme"`},
		{"ipv6-is-not-listed", "2001:db8::1", get, []string{bearer(r.admin)}, `403 "not-listed: ` + text + `2001:db8::1, orgId: none"`},

		// Through a proxy, and past the lists.
		{"proxied", "192.0.2.1", get, []string{bearer(r.acme), "X-Forwarded-For: 10.1.0.9"}, "200 acme-key"},
		{"proxied-refused", "192.0.2.1", get, []string{bearer(r.acme), "X-Forwarded-For: 11.0.0.1"}, `403 "not-listed: ` + text + `11.0.0.1, orgId: none"`},
		{"proxied-by-no-one-known", "192.0.2.1", get, []string{bearer(r.acme)}, `403 "not-listed: ` + text + `none, orgId: none"`},
		{"forged", "11.0.0.1", get, []string{bearer(r.admin), "X-Forwarded-For: 10.1.0.9"}, `403 "not-listed: ` + text + `11.0.0.1, orgId: none"`},
		{"loopback-is-exempt", "127.0.0.1", get, []string{bearer(r.acme)}, "200 acme-key"},
		{"loopback-v6-is-exempt", "::1", get, []string{bearer(r.acme)}, "200 acme-key"},
		{"loopback-needs-a-key", "127.0.0.1", get, nil, missing},
		{"loopback-for-another", "127.0.0.1", get, []string{bearer(r.acme), "X-Forwarded-For: 11.0.0.1"}, `403 "not-listed: ` + text + `127.0.0.1, orgId: none"`},
		{"loopback-forwarded", "192.0.2.1", get, []string{bearer(r.acme), "X-Forwarded-For: 127.0.0.1"}, `403 "not-listed: ` + text + `127.0.0.1, orgId: none"`},

		// Pages of other sites.
		{
			"cross-origin", "127.0.0.1", "POST /api/v1/lists",
			[]string{bearer(r.acme), "Sec-Fetch-Site: cross-site"},
			`403 "forbidden: requests from another site's pages are not taken"`,
		},
		{
			"cross-origin-by-origin", "", "POST /api/v1/lists",
			[]string{"Origin: https://evil.example"},
			`403 "forbidden: requests from another site's pages are not taken"`,
		},
		{"same-origin", "", "POST /api/v1/lists", []string{"Sec-Fetch-Site: same-origin"}, "200 root"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r.clock = r.clock.Add(2 * time.Hour) // neither rates nor failures add up
			r.records = nil
			w := r.ask(request(tt.from, tt.line, tt.headers...))
			if got := said(w); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if told := len(r.records); told > 1 || (told == 1) != (w.Code != http.StatusOK) {
				t.Errorf("the journal was told %d times of a %d", told, w.Code)
			}
			if challenged := w.Header().Get("WWW-Authenticate"); (challenged == "Bearer") != (w.Code == http.StatusUnauthorized) {
				t.Errorf("a %d with WWW-Authenticate %q", w.Code, challenged)
			}
		})
	}
}

// tampered is a token with another first character of its signature, whose last are
// often zero.
func tampered(token string) string {
	at := strings.LastIndexByte(token, '.') + 1
	first := "A"
	if token[at:at+1] == first {
		first = "g"
	}
	return token[:at] + first + token[at+1:]
}

func TestListsThatOnlyMonitor(t *testing.T) {
	r := newRig(t, plain)
	for _, mode := range []policy.Mode{policy.Monitor, policy.Off} {
		r.table = table(t, mode)
		if got := said(r.ask(request("11.0.0.1", "GET /", bearer(r.acme)))); got != "200 acme-key" {
			t.Errorf("%s: %s", mode, got)
		}
	}
}

func TestWithoutPolicy(t *testing.T) {
	r := newRig(t, plain)
	r.table = nil
	if got := said(r.ask(request("10.0.0.1", "GET /", bearer(r.admin)))); got != `503 "unavailable: policy unknown"` {
		t.Error(got)
	}
	for _, from := range []string{"", "127.0.0.1"} {
		if got := said(r.ask(request(from, "GET /", bearer(r.admin)))); got != "200 root-key" {
			t.Errorf("from %q: %s", from, got)
		}
	}
}

func TestFailuresAddUp(t *testing.T) {
	r := newRig(t, plain)
	guess := func(from string) string { return said(r.ask(request(from, "GET /", "X-API-Key: psk_guess"))) }
	for n := range 10 {
		if got := guess("10.0.0.7"); !strings.HasPrefix(got, "401 ") {
			t.Fatalf("guess %d: %s", n+1, got)
		}
	}
	w := r.ask(request("10.0.0.7", "GET /", bearer(r.admin)))
	if got := said(w); got != `429 "too-many: too many failures; try again in 60 seconds"` || w.Header().Get("Retry-After") != "60" {
		t.Errorf("%s, Retry-After %q", got, w.Header().Get("Retry-After"))
	}
	if got := said(r.ask(request("10.0.0.8", "GET /", bearer(r.admin)))); got != "200 root-key" {
		t.Errorf("from another address: %s", got)
	}
	r.clock = r.clock.Add(time.Minute)
	if got := said(r.ask(request("10.0.0.7", "GET /", bearer(r.admin)))); got != "200 root-key" {
		t.Errorf("a minute later: %s", got)
	}
}

func TestRate(t *testing.T) {
	way := *plain
	way.Period = true
	r := newRig(t, &way)
	rates := func(h http.Header) []string {
		return []string{h.Get("x-ratelimit-limit"), h.Get("x-ratelimit-remaining"), h.Get("x-ratelimit-reset"), h.Get("x-ratelimit-period")}
	}
	for _, left := range []string{"4", "3", "2", "1", "0"} {
		w := r.ask(request("10.0.0.1", "GET /", bearer(r.admin)))
		if diff := cmp.Diff([]string{"5", left, "3600", "3600"}, rates(w.Header())); w.Code != 200 || diff != "" {
			t.Fatalf("%s %s", said(w), diff)
		}
	}
	r.clock = r.clock.Add(10 * time.Minute)
	w := r.ask(request("10.0.0.1", "GET /", bearer(r.admin)))
	if got := said(w); got != `429 "too-many: 5 requests in 1h0m0s are allowed; try again in 3000 seconds"` || w.Header().Get("Retry-After") != "3000" {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"5", "0", "3000", "3600"}, rates(w.Header())); diff != "" {
		t.Error(diff)
	}
	for range 6 {
		if got := said(r.ask(request("", "GET /"))); got != "200 root" {
			t.Fatalf("root has no rate: %s", got)
		}
	}
}

func TestJournal(t *testing.T) {
	r := newRig(t, plain)
	via := "X-Forwarded-For: 10.2.0.1"
	r.ask(request("192.0.2.1", "GET /api/v1/status", "X-Trace-Id: case-1", via))
	r.ask(request("192.0.2.1", "PUT /x", "X-Trace-Id: case-2", via, bearer(r.blocked)))
	r.ask(request("192.0.2.1", "PUT /x?y=z", "X-Trace-Id: case-3", via, bearer(r.acme)))
	want := []audit.Record{
		{
			Action: "authenticate", Objects: []string{"GET /api/v1/status"}, Origin: "api",
			Error: "authenticate: no credentials", Trace: "case-1",
		},
		{
			Action: "authenticate", Objects: []string{"PUT /x", "keys/" + r.blocked.id}, Origin: "api",
			Error: "authenticate as blocked-key: key is blocked", Trace: "case-2",
		},
		{
			Actor: audit.Actor{ID: r.acme.id, Name: "acme-key", Tenant: "acme"}, Action: "connect", Objects: []string{"PUT /x"},
			Tenants: []string{"acme"}, Origin: "api", Error: "address 10.2.0.1: not-listed", Trace: "case-3",
		},
	}
	for i := range r.records {
		if from := r.records[i].Actor.From.String(); from != "10.2.0.1" {
			t.Errorf("record %d is from %s", i, from)
		}
		r.records[i].Actor.From = want[0].Actor.From
	}
	if diff := cmp.Diff(want, r.records, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Error(diff)
	}
}

func TestCall(t *testing.T) {
	lenient := *plain
	lenient.Origin, lenient.Lenient = "hdp", true
	r := newRig(t, &lenient)
	tests := []struct {
		name, from, line string
		want             control.Call
	}{
		{"of-a-key", "10.9.0.1", "GET /api/admin/x", control.Call{
			From: netip.MustParseAddr("10.9.0.1"), Resource: "adminAPI", Origin: "hdp", Lenient: true, Since: start,
		}},
		{"of-loopback", "127.0.0.1", "GET /x", control.Call{
			From: netip.MustParseAddr("127.0.0.1"), Resource: "managementAPI", Origin: "hdp", Lenient: true, Since: start, Exempt: true,
		}},
		{"of-a-socket", "", "GET /x", control.Call{Resource: "managementAPI", Origin: "hdp", Lenient: true, Since: start, Exempt: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got control.Call
			r.handler = func(_ http.ResponseWriter, req *http.Request) { got = *front.CallOf(req.Context()) }
			r.ask(request(tt.from, tt.line, bearer(r.admin)))
			if got.Caller == nil || got.Caller.ID != r.admin.id || got.Trace == "" {
				t.Errorf("the caller is %+v, the trace %q", got.Caller, got.Trace)
			}
			got.Caller, got.Trace = nil, ""
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
