package audit_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/audit"
)

// What a tenant reads of lines that are not about it alone, and of what it cannot
// ask for: its page is the same as if that had not been written.
func TestReader(t *testing.T) {
	m, c, dir := &memory{}, newClock(), t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m, Now: c.now})
	acme := audit.Actor{ID: "k1", Name: "office", Tenant: "acme", From: netip.MustParseAddr("10.0.0.1")}
	staff := audit.Actor{ID: "k2", Name: "joe", From: netip.MustParseAddr("203.0.113.99")}
	image := func(names ...string) json.RawMessage {
		return json.RawMessage(`{"` + strings.Join(names, `":"x","`) + `":"x"}`)
	}
	both := []string{"system/adminAPI", "tenants/acme/*", "tenants/globex/*"}
	change(t, l, m, audit.Record{
		Actor: staff, Action: "apply", Objects: both, Tenants: []string{"acme", "globex"}, Reason: "fraud?", Forced: true,
		Before: image(both...), After: image(both...), Trace: "t1", Revision: 7, Origin: "api",
	})
	change(t, l, m, audit.Record{Actor: acme, Action: "list.add", Objects: []string{"tenants/acme/*"}, Tenants: []string{"acme"}, Reason: "new office"})
	change(t, l, m, audit.Record{Actor: staff, Action: "key.create", Objects: []string{"keys/k9"}, Tenants: []string{"acme"}, After: json.RawMessage(`{"id":"k9"}`)})
	l.Refused(audit.Record{Actor: staff, Action: "apply", Objects: both, Tenants: []string{"acme", "globex"}, Error: "203.0.113.99 calls this API now"})
	l.Refused(audit.Record{Actor: audit.Actor{From: staff.From}, Action: "authenticate", Objects: []string{"GET /", "keys/k1"}, Tenants: []string{"acme"}, Error: "wrong secret"})
	l.Refused(audit.Record{Actor: acme, Action: "list.add", Objects: []string{"tenants/globex/*"}, Tenants: []string{"globex"}, Error: "office may not"})
	change(t, l, m, audit.Record{Actor: staff, Action: "list.add", Objects: []string{"system/adminAPI"}})

	type told struct {
		Seq     uint64
		Name    string
		From    string
		Objects string
		Before  string
		Rest    string
	}
	page := func(q audit.Query) []told {
		t.Helper()
		found, err := audit.Search(t.Context(), dir, q)
		if err != nil {
			t.Fatal(err)
		}
		var all []told
		for _, e := range found.Entries {
			line := told{Seq: e.Seq, Name: e.Actor.Name, Objects: strings.Join(e.Objects, " "), Before: string(e.Before), Rest: e.Reason + e.Error + e.Trace}
			if e.Actor.From.IsValid() {
				line.From = e.Actor.From.String()
			}
			all = append(all, line)
			if e.Actor.Tenant == "" && e.Actor.ID == "" && e.Actor.Name == "joe" && strings.Contains(string(e.Line), "hash") {
				t.Errorf("a line that is not the journal's any more says it is: %s", e.Line)
			}
			for _, secret := range []string{"globex", "system/", "fraud"} {
				if q.Reader == "acme" && strings.Contains(string(e.Line), secret) {
					t.Errorf("acme reads %s in %s", secret, e.Line)
				}
			}
		}
		return all
	}
	own := []told{
		{Seq: 5, From: "203.0.113.99", Objects: "GET / keys/k1", Rest: "wrong secret"},
		{Seq: 4, Name: "joe", Objects: "tenants/acme/*"},
		{Seq: 3, Name: "joe", Objects: "keys/k9"},
		{Seq: 2, Name: "office", From: "10.0.0.1", Objects: "tenants/acme/*", Rest: "new office"},
		{Seq: 1, Name: "joe", Objects: "tenants/acme/*", Before: `{"tenants/acme/*":"x"}`},
	}
	tests := []struct {
		name string
		q    audit.Query
		want []told
	}{
		{"own", audit.Query{Reader: "acme", Tenant: "acme"}, own},
		{"by-another-object", audit.Query{Reader: "acme", Object: "system/adminAPI"}, nil},
		{"by-another-tenant", audit.Query{Reader: "acme", Tenant: "globex"}, nil},
		{"by-another-author-s-id", audit.Query{Reader: "acme", Actor: "k2"}, nil},
		{"by-its-name", audit.Query{Reader: "acme", Actor: "joe", Limit: 1}, own[1:2]},
		{"another-s", audit.Query{Reader: "globex"}, []told{
			{Seq: 6, Objects: "tenants/globex/*"},
			{Seq: 4, Name: "joe", Objects: "tenants/globex/*"},
			{Seq: 1, Name: "joe", Objects: "tenants/globex/*", Before: `{"tenants/globex/*":"x"}`},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, page(tt.q)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
