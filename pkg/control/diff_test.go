package control

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// TestDiffOverFiles tells what people and files change by turns: of what files
// changed, the names, and of what people did, never what is a file's by now.
func TestDiffOverFiles(t *testing.T) {
	w := newWorld(t, acme())
	at := place("tenants/globex/webUI")
	forced := root()
	forced.Force = true
	w.write(root(), Replace(at, nil, entries("10.1.0.1")))                // 2
	w.write(forced, Delete(at))                                           // 3
	w.reads(at, "10.1.0.2")                                               // 4
	w.write(root(), Add(place("tenants/acme/*"), entries("10.9.9.9")...)) // 5
	tests := []struct {
		name     string
		from, to uint64
		part     Part
		lists    map[string]string // before and after
		files    []string
	}{
		{name: "before-the-file", from: 2, to: 3, lists: map[string]string{at.String(): "10.1.0.1 > none"}},
		{name: "the-file", from: 3, to: 4, files: []string{at.String()}},
		{name: "after-the-file", from: 4, to: 5, lists: map[string]string{"tenants/acme/*": "10.0.0.0/16#office 2001:db8::/48 > 10.0.0.0/16#office 2001:db8::/48 10.9.9.9"}},
		{name: "over-the-file", from: 1, to: 5, part: Part{Tenant: "globex"}, files: []string{at.String()}},
		{name: "beside-the-file", from: 3, to: 4, part: Part{Tenant: "acme"}},
		{name: "nothing", from: 4, to: 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := w.Diff(root(), tt.from, tt.to, tt.part)
			if err != nil {
				t.Fatal(err)
			}
			var lists map[string]string
			for _, l := range d.Lists {
				if lists == nil {
					lists = map[string]string{}
				}
				lists[l.At.String()] = spell(l.Before) + " > " + spell(l.After)
			}
			if diff := cmp.Diff(tt.lists, lists); diff != "" {
				t.Errorf("lists (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.files, d.Files); diff != "" {
				t.Errorf("files' (-want +got):\n%s", diff)
			}
		})
	}
	neighbour := w.as(access.Key{Role: access.TenantAdmin, Tenant: "acme"}, "10.0.0.1")
	if d, err := w.Diff(neighbour, 3, 4, Part{}); err != nil || d.Files != nil {
		t.Errorf("a neighbour is told of %q, %v", d.Files, err)
	}
}

// reads has a file declare a list. History is told its name.
func (w *world) reads(at policy.Place, texts ...string) {
	w.Helper()
	is := w.agent.view.Load()
	s := *is.table.State
	t := *s.Tenants.Get(at.Tenant)
	t.Lists = map[string]*policy.List{"*": t.Lists["*"], at.Resource: {Owner: "later.yaml", Entries: entries(texts...)}}
	s.Tenants = s.Tenants.With(t.ID, &t)
	table, err := w.agent.compiler.Compile(&s, policy.Host{Local: []netip.Prefix{local}}, noon)
	if err != nil {
		w.Fatal(err)
	}
	number, _ := w.Revision()
	c := &policy.Commit{Number: number + 1, Author: policy.Author{Name: "files"}, Origin: policy.Files, Names: listed(at.String())}
	w.agent.view.Store(&view{table, append(slices.Clip(is.commits), c)})
}
