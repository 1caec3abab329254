package policy

import (
	"strings"
	"testing"
)

func TestAdvise(t *testing.T) {
	tests := []struct {
		name, list string
		want       string
	}{
		{"nothing-wrong", "10.0.0.0/24 2001:db8::/32", ""},
		{"empty", "", ""},
		{"only-IPv4", "10.0.0.1", "warning: list tenants/a/* admits no IPv6 address"},
		{"only-IPv6", "2001:db8::1", "warning: list tenants/a/* admits no IPv4 address"},
		{"ends", "10.0.0.0/24 ?2001:db8::1", "warning: 2001:db8::1 ends in 1h0m0s"},
		{"everybody", "0.0.0.0/0 ::/0", "warning: 0.0.0.0/0 allows every IPv4 address\nwarning: ::/0 allows every IPv6 address"},
		{"disjoint", "192.0.2.1 2001:db9::1", "warning: list tenants/a/* admits nobody: it has no address in common with the list system/* before it"},
		{"twice", "10.0.0.1 10.0.0.1 2001:db8::1", "warning: 10.0.0.1 stands there already; remove one of them"},
		{"inside", "10.0.0.1 10.0.0.0/24 2001:db8::1", "warning: 10.0.0.1 lies inside 10.0.0.0/24; remove it"},
		{"denied", "10.0.0.1 -10.0.0.0/24 2001:db8::1", "warning: 10.0.0.1 admits nobody: the list denies 10.0.0.0/24"},
		{"nobody-lives", "!10.0.0.1", "warning: list tenants/a/* admits nobody: none of its allow entries is live"},
	}
	at := Place{Scope: ScopeTenant, Tenant: "a", Resource: AnyResource}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := listOf(t, strings.Fields(tt.list)...)
			l.Pos = Pos{}
			for i := range l.Entries {
				l.Entries[i].Pos = Pos{}
			}
			s := &State{
				System:  map[string]*List{AnyResource: listOf(t, "10.0.0.0/8", "2001:db8::/32")},
				Tenants: MapOf(map[string]*Tenant{"a": {ID: "a", Lists: map[string]*List{AnyResource: l}}}),
			}
			if got := Advise(s, []Place{at, {Scope: ScopeSystem, Resource: "webUI"}}, lintTime); got.Error() != tt.want {
				t.Errorf("advice = %q, want %q", got.Error(), tt.want)
			}
		})
	}
}
