package hdp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/dialect/dialecttest"
	"github.com/postern-io/postern/pkg/policy"
)

// mixed is a list of all that an entry can be.
func mixed(t *testing.T) []policy.Entry {
	entry := func(text string, change func(*policy.Entry)) policy.Entry {
		e := dialecttest.Entry(t, text)
		change(&e)
		return e
	}
	until := time.Date(2099, 1, 31, 0, 0, 0, 0, time.UTC)
	return []policy.Entry{
		entry("10.20.30.0/24", func(e *policy.Entry) { e.Comment, e.Expires = "Paris", until }),
		entry("10.20.30.9", func(e *policy.Entry) { e.Action = policy.Deny }),
		entry("192.0.2.1", func(e *policy.Entry) { e.Disabled = true }),
		entry("192.0.2.2", func(e *policy.Entry) { e.Expires = time.Unix(0, 0) }),
		entry("2001:db8::/64", func(*policy.Entry) {}),
	}
}

// What is read and written back is as it was, what this API cannot show with it.
func TestRoundTrip(t *testing.T) {
	r := newRig(t)
	a := admin(r)
	r.List("tenants/2/managementAPI", mixed(t)...)
	r.List("tenants/2/*", dialecttest.Entry(t, "10.0.0.0/8"))
	r.List("tenants/2/webUI", dialecttest.Entry(t, "10.0.0.0/8"))
	before, revision := r.Table().State.Tenants.Get("2").Lists["managementAPI"], number(r)
	w := r.Do(dialecttest.Request{Line: "GET " + tenantPath, Key: a})
	if got, want := w.Header().Get("X-Postern-Hidden"), "deny=1, disabled=1, expired=1, other-lists=* webUI"; got != want {
		t.Errorf("X-Postern-Hidden: %q, want %q", got, want)
	}
	if got := ask(r, a, "PUT "+tenantPath, w.Body.String()); got != "200 "+w.Body.String() {
		t.Errorf("written back: %s", got)
	}
	if number(r) != revision || r.Table().State.Tenants.Get("2").Lists["managementAPI"] != before {
		t.Error("nothing changed, and there is another revision")
	}
}

func number(r *dialecttest.Rig) uint64 {
	n, _ := r.Revision()
	return n
}

// A write replaces what is shown and leaves the rest; open is open, whatever was
// hidden.
func TestHiddenStays(t *testing.T) {
	tests := []struct {
		name, line, body string
		want             []string
	}{
		{
			"one-kept-one-new", "PUT " + tenantPath, `{"managementAPI": [{"startAddress": "10.20.30.0", "endAddress": "10.20.30.255"}, {"startAddress": "192.0.2.7"}]}`,
			[]string{"10.20.30.0/24 Paris 2099", "10.20.30.9 deny", "192.0.2.1 disabled", "192.0.2.2 1970", "192.0.2.7"},
		},
		{"cleared", "PUT " + tenantPath, `{"managementAPI": null}`, []string{"10.20.30.9 deny"}},
		{"deleted", "DELETE " + tenantPath, "", []string{"10.20.30.9 deny"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.List("tenants/2/managementAPI", mixed(t)...)
			if w := r.Do(dialecttest.Request{Line: tt.line, Body: tt.body, Key: admin(r)}); w.Code/100 != 2 {
				t.Fatal(said(w))
			}
			var got []string
			for _, e := range r.Table().State.Tenants.Get("2").Lists["managementAPI"].Entries {
				got = append(got, described(e))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func described(e policy.Entry) string {
	parts := []string{e.Text}
	if e.Comment != "" {
		parts = append(parts, e.Comment)
	}
	if e.Action == policy.Deny {
		parts = append(parts, "deny")
	}
	if e.Disabled {
		parts = append(parts, "disabled")
	}
	if !e.Expires.IsZero() {
		parts = append(parts, e.Expires.UTC().Format("2006"))
	}
	return strings.Join(parts, " ")
}

// The guard speaks this API's own way.
func TestGuard(t *testing.T) {
	const elsewhere = `{"adminAPI": [{"startAddress": "192.0.2.1"}]}`
	r := newRig(t)
	a := admin(r)
	got := ask(r, a, "PUT "+systemPath, elsewhere)
	want := refusal(409, 222208752, "10.20.30.5 calls this API now, and could not any more: not-listed in list system/adminAPI; send it again with force, if that is meant")
	if got != want {
		t.Errorf("shut out: %s, want %s", got, want)
	}
	own := r.Key(access.Key{Name: "t2", Role: access.TenantAdmin, Tenant: "2"})
	w := r.Do(dialecttest.Request{Line: "PUT " + tenantPath, Body: elsewhere, Key: own})
	if warning := w.Header().Get("X-Postern-Warning"); w.Code != 200 || !strings.HasPrefix(warning, "locks-out: 10.20.30.5 calls this API now") {
		t.Errorf("its own lists: %s, X-Postern-Warning: %q", said(w), warning)
	}
	if w := r.Do(dialecttest.Request{Line: "PUT " + systemPath + "?force=true", Body: elsewhere, Key: a}); w.Code != 200 {
		t.Errorf("forced: %s", said(w))
	}
}

func TestFileOwned(t *testing.T) {
	s := &policy.State{System: map[string]*policy.List{"adminAPI": {
		Entries: []policy.Entry{dialecttest.Entry(t, "10.0.0.0/8")}, Owner: "/etc/postern/lists.d/system.yaml",
	}}}
	r := dialecttest.New(t, s, dialect)
	a := admin(r)
	want := refusal(409, 222208751, "list system/adminAPI stands in /etc/postern/lists.d/system.yaml; change it in that file")
	for _, line := range []string{"POST " + systemPath, "DELETE " + systemPath} {
		if got := ask(r, a, line, strings.TrimPrefix(systemLists, line)); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// Whatever is sent, the answer is this API's, and what was not taken changed
// nothing.
func FuzzBody(f *testing.F) {
	for _, text := range []string{systemLists, tenantLists, userLists, untouched, `{"webUI": [{"startAddress": "::1", "endAddress": ""}]}`} {
		f.Add(text)
	}
	r := newRig(f)
	a := admin(r)
	f.Fuzz(func(t *testing.T, text string) {
		before := number(r)
		w := r.Do(dialecttest.Request{Line: "PUT " + systemPath, Body: text, Key: a, From: "127.0.0.1"})
		switch {
		case w.Code == 200:
		case w.Code/100 == 5, !strings.HasPrefix(w.Body.String(), `{"error":{"code":2222087`):
			t.Errorf("%q: %s", text, said(w))
		case number(r) != before:
			t.Errorf("%q: refused, and revision %d became %d", text, before, number(r))
		}
	})
}
