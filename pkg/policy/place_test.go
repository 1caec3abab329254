package policy

import (
	"slices"
	"testing"
)

func TestPlaceRoundTrip(t *testing.T) {
	s := &State{
		System:    map[string]*List{AnyResource: {}},
		Tenants:   MapOf(map[string]*Tenant{"acme": {Lists: map[string]*List{"dataAccess": {}}, Users: map[string]map[string]*List{"1": {AnyResource: {}}}}}),
		Endpoints: []*Endpoint{{Name: "portal", Policies: &List{}}, {Name: "bare"}},
	}
	var names []string
	for at := range s.Lists() {
		names = append(names, at.String())
		if got, err := ParsePlace(at.String()); err != nil || got != at {
			t.Errorf("ParsePlace(%q) = %+v, %v; want %+v", at, got, err, at)
		}
	}
	slices.Sort(names)
	want := []string{"endpoints/portal", "system/*", "tenants/acme/dataAccess", "tenants/acme/users/1/*"}
	if !slices.Equal(names, want) {
		t.Errorf("lists %q, want %q", names, want)
	}
	if _, err := ParsePlace("tenants/acme"); err == nil || err.Error() != `list "tenants/acme": not the name of a list` {
		t.Errorf("ParsePlace of no place: %v", err)
	}
}
