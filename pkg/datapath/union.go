package datapath

import (
	"net/netip"

	"github.com/postern-io/postern/pkg/policy"
)

// union counts, for each prefix, how many parts of a union have it. What the
// kernel holds is the prefixes that are counted at all, so a part that changes
// is a delta: a count that goes from 0 to 1 adds a prefix, 1 to 0 removes it.
type union map[netip.Prefix]uint32

// change counts one part's prefixes in and another's out. It returns the
// prefixes that are new and those that are gone.
func (u union) change(in, out []netip.Prefix) (added, removed []netip.Prefix) {
	for _, p := range in {
		if u[p]++; u[p] == 1 {
			added = append(added, p)
		}
	}
	for _, p := range out {
		if u[p]--; u[p] == 0 {
			delete(u, p)
			removed = append(removed, p)
		}
	}
	return added, removed
}

// oneWay reports whether a change that was made to u only lets more addresses in
// or only lets fewer: then each moment of it, while the prefixes added are
// written and then those removed are deleted, lies between before and after.
func (u union) oneWay(added, removed []netip.Prefix) bool {
	fresh, gone := setOf(added), setOf(removed)
	after := func(p netip.Prefix) bool { return u[p] > 0 }
	before := func(p netip.Prefix) bool { return gone[p] || u[p] > 0 && !fresh[p] }
	return inside(removed, after) || inside(added, before)
}

// inside reports whether each of ps lies in a prefix that is held.
func inside(ps []netip.Prefix, held func(netip.Prefix) bool) bool {
	for _, p := range ps {
		bits := p.Bits()
		for ; bits >= 0; bits-- {
			if outer, _ := p.Addr().Prefix(bits); held(outer) {
				break
			}
		}
		if bits < 0 {
			return false
		}
	}
	return true
}

func setOf(ps []netip.Prefix) map[netip.Prefix]bool {
	set := make(map[netip.Prefix]bool, len(ps))
	for _, p := range ps {
		set[p] = true
	}
	return set
}

// partPrefixes are what a part brings into a union: its allow prefixes after its
// own denies, which take nothing from its neighbours.
func partPrefixes(s *policy.Set, family int) []netip.Prefix {
	f := familySet(s, family)
	if f.Kind != policy.KindListed {
		return nil // nobody brings nothing, and with an open part the union is open
	}
	return f.Flat()
}

// differentParts are the parts that only one of two unions has, as often as it
// has them. Parts stand in a stable order, so most of them are passed over.
func differentParts(from, to []*policy.Set) (in, out []*policy.Set) {
	for len(from) > 0 && len(to) > 0 && from[0] == to[0] {
		from, to = from[1:], to[1:]
	}
	for len(from) > 0 && len(to) > 0 && from[len(from)-1] == to[len(to)-1] {
		from, to = from[:len(from)-1], to[:len(to)-1]
	}
	count := map[*policy.Set]int{}
	for _, s := range to {
		count[s]++
	}
	for _, s := range from {
		if count[s]--; count[s] < 0 {
			out = append(out, s)
		}
	}
	for _, s := range to {
		if count[s] > 0 {
			count[s]--
			in = append(in, s)
		}
	}
	return in, out
}
