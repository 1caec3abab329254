package datapath

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

func TestUnionChange(t *testing.T) {
	tests := []struct {
		name           string
		held, in, out  []string
		added, removed []string
		oneWay         bool
	}{
		{name: "nothing", held: []string{"10.0.0.0/8"}, oneWay: true},
		{name: "new", in: []string{"10.0.0.0/8"}, added: []string{"10.0.0.0/8"}, oneWay: true},
		{name: "gone", held: []string{"10.0.0.0/8"}, out: []string{"10.0.0.0/8"}, removed: []string{"10.0.0.0/8"}, oneWay: true},
		{name: "second-owner", held: []string{"10.0.0.0/8"}, in: []string{"10.0.0.0/8"}, oneWay: true},
		{name: "one-of-two-owners", held: []string{"10.0.0.0/8", "10.0.0.0/8"}, out: []string{"10.0.0.0/8"}, oneWay: true},
		{name: "from-one-owner-to-another", held: []string{"10.0.0.0/8"}, in: []string{"10.0.0.0/8"}, out: []string{"10.0.0.0/8"}, oneWay: true},
		{
			name: "wider", held: []string{"10.0.0.0/25"}, in: []string{"10.0.0.0/24"}, out: []string{"10.0.0.0/25"},
			added: []string{"10.0.0.0/24"}, removed: []string{"10.0.0.0/25"}, oneWay: true,
		},
		{
			name: "narrower", held: []string{"10.0.0.0/24"}, in: []string{"10.0.0.0/25"}, out: []string{"10.0.0.0/24"},
			added: []string{"10.0.0.0/25"}, removed: []string{"10.0.0.0/24"}, oneWay: true,
		},
		{
			name: "narrower-ipv6", held: []string{"2001:db8::/32"}, in: []string{"2001:db8::/33"}, out: []string{"2001:db8::/32"},
			added: []string{"2001:db8::/33"}, removed: []string{"2001:db8::/32"}, oneWay: true,
		},
		{
			name: "elsewhere", held: []string{"10.0.0.0/24"}, in: []string{"10.0.1.0/24"}, out: []string{"10.0.0.0/24"},
			added: []string{"10.0.1.0/24"}, removed: []string{"10.0.0.0/24"},
		},
		{
			name: "wider-and-elsewhere", held: []string{"10.0.0.0/25", "10.0.2.0/24"},
			in: []string{"10.0.0.0/24"}, out: []string{"10.0.0.0/25", "10.0.2.0/24"},
			added: []string{"10.0.0.0/24"}, removed: []string{"10.0.0.0/25", "10.0.2.0/24"},
		},
		{
			name: "narrower-twice-new-inside-new", held: []string{"10.0.0.0/16"},
			in: []string{"10.1.0.0/24", "10.1.0.0/25"}, out: []string{"10.0.0.0/16"},
			added: []string{"10.1.0.0/24", "10.1.0.0/25"}, removed: []string{"10.0.0.0/16"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := union{}
			u.change(prefixes(tt.held...), nil)
			before := maps.Clone(u)
			added, removed := u.change(prefixes(tt.in...), prefixes(tt.out...))
			if diff := cmp.Diff(prefixes(tt.added...), added, equalHosts); diff != "" {
				t.Errorf("added: -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(prefixes(tt.removed...), removed, equalHosts); diff != "" {
				t.Errorf("removed: -want +got:\n%s", diff)
			}
			if got := u.oneWay(added, removed); got != tt.oneWay {
				t.Errorf("one way: %v, want %v", got, tt.oneWay)
			}
			u.change(prefixes(tt.out...), prefixes(tt.in...))
			if !maps.Equal(before, u) {
				t.Errorf("changed back it holds %v, before %v", u, before)
			}
		})
	}
}

// However parts come and go, what is counted is what the parts have.
func TestUnionCountsItsParts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	part := func() *policy.Set {
		var ps []netip.Prefix
		for range r.IntN(6) {
			a := netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(16))})
			ps = append(ps, netip.PrefixFrom(a, 32))
		}
		slices.SortFunc(ps, netip.Prefix.Compare)
		return &policy.Set{V4: policy.FamilySet{Kind: policy.KindListed, Allow: slices.Compact(ps)}}
	}
	u, parts := union{}, []*policy.Set(nil)
	for range 500 {
		next := slices.Clone(parts)
		for range r.IntN(4) {
			next = append(next, part())
		}
		for range r.IntN(4) {
			if len(next) > 0 {
				i := r.IntN(len(next))
				next = slices.Delete(next, i, i+1)
			}
		}
		in, out := differentParts(parts, next)
		for _, s := range in {
			u.change(partPrefixes(s, v4), nil)
		}
		for _, s := range out {
			u.change(nil, partPrefixes(s, v4))
		}
		parts = next
		want := union{}
		for _, s := range parts {
			want.change(partPrefixes(s, v4), nil)
		}
		if !maps.Equal(want, u) {
			t.Fatalf("counted %v, the parts have %v", u, want)
		}
	}
}
