package trustx_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/dialect/dialecttest"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

var acmeList = policy.Place{Scope: policy.ScopeTenant, Tenant: "acme", Resource: "*"}

func TestBodies(t *testing.T) {
	r := newRig(t)
	secret := bearer(updater(r))
	r.Write(control.Replace(acmeList, nil, dialecttest.Entries(t, "192.0.2.1")))
	tests := []struct {
		name, body, kind string
		status           int
		errors           []string // path: what; remedy
	}{
		{name: "mistakes-all-at-once", body: `{"ips":["192.0.2.1/33","10.0.0.9-10.0.0.1",7,null,"010.0.0.1"],"ip":[]}`, status: 400, errors: []string{
			"$.ips[0]: prefix 192.0.2.1/33: prefix length 33 is more than 32",
			"$.ips[1]: range 10.0.0.9-10.0.0.1: ends before it starts",
			"$.ips[2]: a number where text should be",
			"$.ips[3]: null where text should be",
			"$.ips[4]: address 010.0.0.1: a leading zero may mean 10.0.0.1 or, read as octal, 8.0.0.1",
			"$.ip: no such key; did you mean ips?",
		}},
		{name: "no-ips", body: `{}`, status: 400, errors: []string{"$.ips: missing"}},
		{name: "null", body: `{"ips":null}`, status: 400, errors: []string{"$.ips: null where a list should be"}},
		{name: "not-an-object", body: `["10.0.0.1"]`, status: 400, errors: []string{"$: a list where an object should be"}},
		{name: "empty", body: `{"ips":[]}`, status: 400, errors: []string{
			"$.ips: no address: with none, every address would be permitted; " +
				"DELETE /api/v1/lists/tenants/acme/* of the native API if that is meant, or send it again with X-Postern-Force: true",
		}},
		{name: "not-json", body: `ips=10.0.0.1`, kind: "application/x-www-form-urlencoded", status: 415, errors: []string{
			`$: Content-Type is "application/x-www-form-urlencoded"; send Content-Type: application/json`,
		}},
		{name: "too-long", body: strings.Repeat(" ", 1<<20) + `{}`, status: 413, errors: []string{
			"$: the body is longer than 1048576 bytes; send less at once",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kind := tt.kind
			if kind == "" {
				kind = "application/json"
			}
			w := r.Ask("POST "+acme+ips, tt.body, secret, "Content-Type: "+kind)
			var got struct {
				Code, Message string
				Errors        []struct{ Path, What, Remedy string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, e := range got.Errors {
				lines = append(lines, strings.TrimSuffix(e.Path+": "+e.What+"; "+e.Remedy, "; "))
			}
			if diff := cmp.Diff(tt.errors, lines); w.Code != tt.status || diff != "" {
				t.Errorf("%d, want %d: %s", w.Code, tt.status, diff)
			}
			if got.Code != "invalid" || got.Message != strings.Join(lines, "\n") {
				t.Errorf("%s %s", got.Code, got.Message)
			}
		})
	}
	if l := r.State().ListAt(acmeList); len(l.Entries) != 1 || l.Entries[0].Text != "192.0.2.1" {
		t.Errorf("something of it was taken: %+v", l)
	}
}

// What was made natively and TrustX does not show outlives it, in its place.
func TestRoundTrip(t *testing.T) {
	r := newRig(t)
	secret := bearer(updater(r))
	entry := func(text string, edit func(*policy.Entry)) policy.Entry {
		e := dialecttest.Entry(t, text)
		edit(&e)
		return e
	}
	later := r.Now().Add(time.Hour)
	r.Write(
		control.Replace(acmeList, nil, []policy.Entry{
			entry("192.0.2.66", func(e *policy.Entry) { e.Action = policy.Deny }),
			entry("192.0.2.1", func(e *policy.Entry) { e.Comment = "office" }),
			entry("192.0.2.2", func(e *policy.Entry) { e.Disabled = true }),
			entry("198.51.100.0-198.51.100.9", func(e *policy.Entry) { e.Expires = later }),
			entry("192.0.2.3", func(e *policy.Entry) { e.Expires = r.Now().Add(-time.Hour) }),
		}),
		control.Replace(policy.Place{Scope: policy.ScopeTenant, Tenant: "acme", Resource: "dataAccess"}, nil, dialecttest.Entries(t, "10.1.0.0/16")),
		control.Replace(policy.Place{Scope: policy.ScopeTenant, Tenant: "acme", Resource: "webUI"}, nil, dialecttest.Entries(t, "10.1.0.0/16")),
	)
	read := r.Ask("GET "+acme+ips, "", secret)
	const hidden = "deny=1, disabled=1, expired=1"
	if got := read.Header().Get("X-Postern-Hidden"); got != hidden {
		t.Errorf("hidden %s, want %s: no other list is the key's to know of", got, hidden)
	}
	const others = hidden + ", other-lists=dataAccess webUI"
	if got := r.Ask("GET "+acme+ips, "", bearer(admin(r))).Header().Get("X-Postern-Hidden"); got != others {
		t.Errorf("hidden from an admin %s, want %s", got, others)
	}
	var record struct{ PermittedIPs json.RawMessage }
	if err := json.Unmarshal(read.Body.Bytes(), &record); err != nil {
		t.Fatal(err)
	}
	before := r.State()
	if w := r.Ask("POST "+acme+ips, string(record.PermittedIPs), secret); w.Code != http.StatusOK || r.State() != before {
		t.Fatalf("writing what was read changes something: %s", said(w))
	}

	// 192.0.2.1 is written otherwise and stays the same entry; the range goes.
	w := r.Ask("POST "+acme+ips, `{"ips":["10.1.0.0/16","192.0.2.1/32"]}`, secret)
	if w.Code != http.StatusOK {
		t.Fatal(said(w))
	}
	if got := w.Header().Get("X-Postern-Hidden"); got != hidden {
		t.Errorf("hidden %s, want %s", got, hidden)
	}
	want := []string{"deny 192.0.2.66 by root", "allow 10.1.0.0/16 by seed", "allow 192.0.2.2 off by root", "allow 192.0.2.1/32 (office) by root", "allow 192.0.2.3 over by root"}
	if diff := cmp.Diff(want, told(r, acmeList)); diff != "" {
		t.Error(diff)
	}
}

// told are a list's entries in short.
func told(r *dialecttest.Rig, at policy.Place) []string {
	var lines []string
	for _, e := range r.State().ListAt(at).Entries {
		line := e.Action.String() + " " + e.Text
		if e.Comment != "" {
			line += " (" + e.Comment + ")"
		}
		if e.Disabled {
			line += " off"
		}
		if !e.Expires.IsZero() && !r.Now().Before(e.Expires) {
			line += " over"
		}
		lines = append(lines, line+" by "+e.By.Author)
	}
	return lines
}

func TestGuard(t *testing.T) {
	r := newRig(t)
	r.From = "10.1.0.1"
	secret := bearer(updater(r))
	post := func(body string, headers ...string) (string, string) {
		w := r.Ask("POST "+acme+ips, body, append(headers, secret)...)
		return said(w), strings.Join(w.Header().Values("X-Postern-Warning"), "\n")
	}
	if got, _ := post(`{"ips":["10.1.0.0/16"]}`); !strings.HasPrefix(got, "200 ") {
		t.Fatal(got)
	}

	// The key shuts itself out: TrustX does not mind, and is told.
	got, warned := post(`{"ips":["192.0.2.1"]}`)
	const locksOut = "locks-out: 10.1.0.1 calls this API now, and could not any more: not-listed in list tenants/acme/*"
	if !strings.HasPrefix(got, "200 ") || !strings.Contains(warned, locksOut) {
		t.Errorf("%s\nwarned: %s", got, warned)
	}
	const refused = `403 {"code":"not-listed","message":"IP not whitelisted. Found x-forwarded-for header: 10.1.0.1, orgId: acme","traceId":"TRACE"}`
	if got, _ := post(`{"ips":["10.1.0.0/16"]}`); got != refused {
		t.Errorf("shut out: %s", got)
	}
	r.Write(control.Replace(acmeList, nil, dialecttest.Entries(t, "10.1.0.0/16")))

	// Nothing permitted is everything permitted, where force says so: also where an
	// entry is disabled, which would keep everybody out.
	r.Write(control.Add(acmeList, policy.Entry{Text: "192.0.2.9", Range: dialecttest.Entry(t, "192.0.2.9").Range, Disabled: true}))
	got, warned = post(`{"ips":[]}`, "X-Postern-Force: true")
	if !strings.HasSuffix(got, "\"permittedIPs\": {\n\"ips\": []\n}\n}") || !strings.Contains(warned, "would-open: tenants/acme/*: it is gone") {
		t.Errorf("%s\nwarned: %s", got, warned)
	}
	if l := r.State().ListAt(acmeList); l != nil {
		t.Errorf("the list is still there: %+v", l)
	}
	if line := r.Told()[0]; !line.Forced || line.Action != "list.clear" || line.Origin != "trustx" || line.Actor.Name != "seed" {
		t.Errorf("journal: %s", line.Line)
	}
	if got, _ := post(`{"ips":["10.1.0.0/16"]}`, "X-Postern-Force: perhaps"); got !=
		`400 {"code":"invalid","message":"X-Postern-Force: \"perhaps\" is neither true nor false","traceId":"TRACE",`+
			`"errors":[{"path":"X-Postern-Force","what":"\"perhaps\" is neither true nor false"}]}` {
		t.Error(got)
	}
}

// A force that is misspelt must not pass for one, nor for none.
func TestParameters(t *testing.T) {
	r := newRig(t)
	secret := bearer(updater(r))
	for query, want := range map[string]string{
		"?force=true":              "200 ",
		"?force=1":                 `400 {"code":"invalid","message":"force: \"1\" is neither true nor false"`,
		"?forse=true":              `400 {"code":"invalid","message":"forse: there is no such parameter; did you mean force?"`,
		"?force=true&reason=a%0ab": `400 {"code":"invalid","message":"reason: has bytes that are no text; use printable text"`,
		"?confirm=soon&reason=why": `400 {"code":"invalid","message":"confirm: \"soon\" is no time; write it like 90s"`,
		"?confirm=":                `400 {"code":"invalid","message":"confirm: \"\" is no time; write it like 90s"`,
	} {
		if got := said(r.Ask("POST "+acme+ips+query, `{"ips":[]}`, secret)); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", query, got)
		}
	}
	if got := said(r.Ask("POST "+acme+ips+"?reason=case+7", `{"ips":["10.1.0.1"]}`, secret)); !strings.HasPrefix(got, "200 ") || r.Told()[0].Reason != "case 7" {
		t.Errorf("%s, told %s", got, r.Told()[0].Line)
	}
}

func TestFilesOwn(t *testing.T) {
	r := newRig(t)
	secret := updater(r)
	state := *r.State()
	owned := &policy.List{Entries: dialecttest.Entries(t, "10.1.0.0/16")}
	owned.Owner = "/etc/postern/lists.d/acme.yaml"
	tenant := *state.Tenants.Get("acme")
	tenant.Lists = map[string]*policy.List{"*": owned}
	state.Tenants = state.Tenants.With("acme", &tenant)
	r.Enforce(&state)
	got := said(r.Ask("POST "+acme+ips, `{"ips":["10.2.0.1"]}`, bearer(secret)))
	want := `409 {"code":"file-owned","message":"list tenants/acme/* stands in /etc/postern/lists.d/acme.yaml; change it in that file","traceId":"TRACE"}`
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestStaffOnly(t *testing.T) {
	r := newRig(t)
	secret := updater(r)
	r.Write(control.EditTenant("acme", func(rec *policy.TenantRecord) { rec.StaffOnly = true }))
	if got := said(r.Ask("POST "+acme+ips, `{"ips":["10.1.0.1"]}`, bearer(secret))); !strings.HasPrefix(got, "403 ") {
		t.Errorf("its own key: %s", got)
	}
	if got := said(r.Ask("POST "+acme+ips, `{"ips":["10.1.0.1"]}`, bearer(admin(r)))); !strings.HasPrefix(got, "200 ") {
		t.Errorf("staff: %s", got)
	}
}

// A mixed bag of texts goes in and comes back, byte by byte.
func FuzzPermitted(f *testing.F) {
	f.Add(`{"ips":["192.168.1.1","2001:db8::/48","192.176.1.1/24"]}`)
	f.Add(`{"ips":["10.0.0.1 - 10.0.0.9","::ffff:10.0.0.1","127.0.0.1/24"]}`)
	f.Add(`{"ips":[]}`)
	f.Add("{\"ips\":[\"\\u0031.1.1.1\",\"\xff\"]}")
	f.Fuzz(func(t *testing.T, body string) {
		r := newRig(t)
		secret := r.Key(access.Key{Name: "k", Role: access.Admin}).Secret
		w := r.Ask("POST "+acme+ips, body, bearer(secret), "Content-Type: application/json")
		l := r.State().ListAt(acmeList)
		if w.Code != http.StatusOK {
			if l != nil {
				t.Fatalf("%s, and a list", said(w))
			}
			return
		}
		var sent struct{ IPs []string }
		var got struct{ PermittedIPs struct{ IPs []string } }
		if err := json.Unmarshal([]byte(body), &sent); err != nil {
			t.Fatalf("%q was taken: %v", body, err)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sent.IPs, got.PermittedIPs.IPs); diff != "" {
			t.Error(diff)
		}
		for i, e := range l.Entries {
			if rg, err := addr.Parse(sent.IPs[i]); err != nil || rg != e.Range {
				t.Errorf("%q became %v: %v", sent.IPs[i], e.Range, err)
			}
		}
	})
}
