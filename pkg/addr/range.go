// Package addr reads the ways an operator writes addresses: one address, a
// prefix, or a first-last range. All come out as ranges of one family, which
// split into prefixes, the only shape the kernel's trie stores.
//
// Parsing is strict: String writes back what it read in one canonical form, and
// what is refused is refused with the correction where there is only one.
// Families never cross: IPv4-mapped text is IPv6 until Unmap says otherwise.
//
// Beside them stands where something listens, which the reader of files and the
// listeners' own package must read alike.
package addr

import (
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// Range is a run of addresses of one family, both ends in.
type Range = netipx.IPRange

// String is r as an operator would write it: an address, else a prefix where r
// is one, else first-last.
func String(r Range) string {
	if r.From() == r.To() {
		return r.From().String()
	}
	if p, ok := r.Prefix(); ok {
		return p.String()
	}
	return r.String()
}

// Unmap is r as IPv4 where both its ends are IPv4-mapped, else r.
func Unmap(r Range) Range {
	if r.From().Is4In6() && r.To().Is4In6() {
		return netipx.IPRangeFrom(r.From().Unmap(), r.To().Unmap())
	}
	return r
}

// Compare orders ranges by family, then first, then last address.
func Compare(a, b Range) int {
	if c := a.From().Compare(b.From()); c != 0 {
		return c
	}
	return a.To().Compare(b.To())
}

// Aggregate is the same addresses in the fewest ranges, sorted, IPv4 first.
// It leaves ranges as it is.
func Aggregate(ranges []Range) []Range {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, Compare)
	merged := sorted[:0]
	for _, r := range sorted {
		if n := len(merged); n > 0 && reaches(merged[n-1].To(), r.From()) {
			merged[n-1] = netipx.IPRangeFrom(merged[n-1].From(), later(merged[n-1].To(), r.To()))
			continue
		}
		merged = append(merged, r)
	}
	return merged
}

// reaches reports whether a range that ends at end leaves no gap before start.
// The last address of a family has no next, so nothing is adjacent to it.
func reaches(end, start netip.Addr) bool {
	return end.BitLen() == start.BitLen() && (start.Compare(end) <= 0 || end.Next() == start)
}

func later(a, b netip.Addr) netip.Addr {
	if a.Less(b) {
		return b
	}
	return a
}

// Prefixes is the same addresses in the fewest prefixes, sorted, IPv4 first.
func Prefixes(ranges ...Range) []netip.Prefix {
	var ps []netip.Prefix
	for _, r := range Aggregate(ranges) {
		ps = r.AppendPrefixes(ps)
	}
	return ps
}
