package clientip

import (
	"net/netip"
	"slices"
)

// prefixes is a set of addresses as sorted prefixes, none inside another.
type prefixes []netip.Prefix

func newPrefixes(from []netip.Prefix) prefixes {
	sorted := make([]netip.Prefix, len(from))
	for i, p := range from {
		sorted[i] = p.Masked()
	}
	slices.SortFunc(sorted, netip.Prefix.Compare)
	ps := sorted[:0]
	for _, p := range sorted {
		// A prefix sorts before all that lie inside it.
		if n := len(ps); n == 0 || !ps[n-1].Overlaps(p) {
			ps = append(ps, p)
		}
	}
	return ps
}

func (ps prefixes) contain(a netip.Addr) bool {
	i, found := slices.BinarySearchFunc(ps, a, func(p netip.Prefix, a netip.Addr) int {
		return p.Addr().Compare(a)
	})
	return found || i > 0 && ps[i-1].Contains(a)
}
