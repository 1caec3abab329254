package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/policy"
)

// TestRelease hands lists over: to the file that claims one, and to the store where
// the file is gone.
func TestRelease(t *testing.T) {
	w := newWorld(t, nil)
	orphan := *w.Table().State.ListAt(policy.Place{Scope: policy.ScopeTenant, Tenant: "globex", Resource: "*"})
	orphan.Orphaned = true
	globex := *w.Table().State.Tenants.Get("globex")
	globex.Lists = map[string]*policy.List{"*": &orphan, "webUI": list(entry(t, "10.0.0.1"))}
	s := *w.Table().State
	s.Tenants = s.Tenants.With("globex", &globex)
	w.put(t, &s)

	tests := []struct {
		name, list, query string
		status            int
		detail            string // of a refusal
		owner             string
	}{
		{name: "none", list: "tenants/acme/webUI", status: 404, detail: `list "tenants/acme/webUI": there is none`},
		{name: "no-tenant", list: "tenants/nobody/webUI", status: 404, detail: `tenant "nobody": there is none`},
		{name: "of-a-file-that-is-there", list: "tenants/globex/webUI", status: 409, detail: "list tenants/globex/webUI stands in acme.yaml; change it in that file"},
		{name: "no-file-has-it", list: "system/managementAPI", status: 409, detail: "no file has list system/managementAPI; write it in a file first"},
		{name: "to-be-confirmed", list: "tenants/acme/*", query: "?confirm=60s", status: 400, detail: "a list that is handed over cannot be given back; leave confirm out"},
		{name: "to-the-file", list: "tenants/acme/*", query: "?reason=moved", status: 200, owner: "acme.yaml"},
		{name: "to-the-store", list: "tenants/globex/*", query: "?reason=taken", status: 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, _ := w.Revision()
			answer := w.do("POST /lists/" + tt.list + "/release" + tt.query)
			if tt.status != 200 {
				if p := answer.problem(tt.status); p.Detail != tt.detail {
					t.Errorf("refused with %q, want %q", p.Detail, tt.detail)
				}
				return
			}
			var done v1.Written
			answer.into(200, &done)
			if done.Revision != before+1 || len(done.Lists) != 1 || done.Lists[0].List != tt.list || done.Lists[0].Etag != answer.Header().Get("ETag") {
				t.Errorf("answered %+v, which does not tell the list and revision %d", done, before+1)
			}
			if c := w.commits[len(w.commits)-1]; c.Author.Name != "root" || !strings.Contains(tt.query, c.Reason) || c.Reason == "" {
				t.Errorf("history has %+v", c)
			}
			at, _ := policy.ParsePlace(tt.list)
			if l := w.Table().State.ListAt(at); l.Owner != tt.owner || l.Orphaned {
				t.Errorf("the list is %q's, orphaned %t; want %q's", l.Owner, l.Orphaned, tt.owner)
			}
		})
	}
	want := []string{"root list.release false [system/managementAPI]", "root list.release movedfalse [tenants/acme/*]"}
	if diff := cmp.Diff(want, w.runtime.reloads); diff != "" {
		t.Errorf("asked of the agent (-want +got):\n%s", diff)
	}
}
