package control

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// What is wrong in a file is told with its place there, and warnings are not.
func TestMistakesInFiles(t *testing.T) {
	err := refusalOf(policy.Problems{
		{Pos: policy.Pos{File: "/a.yaml", Line: 3}, What: "bad", Remedy: "mend it"},
		{Pos: policy.Pos{File: "/b.yaml"}, What: "gone"},
		{Pos: policy.Pos{File: "/c.yaml", Line: 1}, What: "odd", Warning: true},
		{What: "it is nowhere"},
	})
	r, ok := errors.AsType[*Refusal](err)
	if !ok || r.Kind != Unprocessable {
		t.Fatalf("refused as %#v", err)
	}
	want := []Mistake{{"/a.yaml:3", "bad", "mend it"}, {"/b.yaml", "gone", ""}, {"", "it is nowhere", ""}}
	if diff := cmp.Diff(want, r.Mistakes); diff != "" {
		t.Error(diff)
	}
}

// A key is not made for a tenant that there is not.
func TestKeyOfNoTenant(t *testing.T) {
	w := newWorld(t, acme())
	_, _, err := w.CreateKey(root(), access.Key{Name: "n", Role: access.TenantAdmin, Tenant: "acmme"})
	if err == nil || err.Error() != "there is no tenant acmme" {
		t.Errorf("error = %v", err)
	}
}
