package policy

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
)

// prefixSet is prefixes that may nest. It asks only for the lengths it holds:
// mostly one or two.
type prefixSet struct {
	held    map[netip.Prefix]bool
	lengths map[bool][]int // by "is IPv4", the longest first
}

func newPrefixes(prefixes iter.Seq[netip.Prefix]) prefixSet {
	s := prefixSet{held: map[netip.Prefix]bool{}}
	seen := map[bool]map[int]bool{true: {}, false: {}}
	for p := range prefixes {
		s.held[p] = true
		seen[p.Addr().Is4()][p.Bits()] = true
	}
	s.lengths = map[bool][]int{}
	for is4, lengths := range seen {
		s.lengths[is4] = slices.Sorted(maps.Keys(lengths))
		slices.Reverse(s.lengths[is4])
	}
	return s
}

// around are the prefixes that hold all of p, p itself among them.
func (s prefixSet) around(p netip.Prefix) iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for _, n := range s.lengths[p.Addr().Is4()] {
			if n > p.Bits() {
				continue
			}
			if outer := netip.PrefixFrom(p.Addr(), n).Masked(); s.held[outer] && !yield(outer) {
				return
			}
		}
	}
}

func (s prefixSet) cover(p netip.Prefix) bool {
	for range s.around(p) {
		return true
	}
	return false
}
