package main

import (
	"math/rand/v2"
	"net/netip"

	"go4.org/netipx"

	"github.com/postern-io/postern/pkg/testenv"
)

// scattered is n IPv4 prefixes, at most 900,000, over all of the unicast space.
// No two of them touch, so nothing merges: each has a /20 to itself, with room on
// both sides.
func scattered(rng *rand.Rand, n int) []netip.Prefix {
	const cells = (223 - 1) << 12 // of 1.0.0.0 to 223.255.255.255 without 127/8
	prefixes := make([]netip.Prefix, n)
	for i := range prefixes {
		cell := uint32(i*cells/n) + 1<<12
		if cell >= 127<<12 {
			cell += 1 << 12
		}
		bits := 24 + rng.IntN(9)
		within := uint32(1 + rng.IntN(1<<(bits-20)-2)) // neither the first nor the last of its size
		prefixes[i] = netip.PrefixFrom(addr4(cell<<12|within<<(32-bits)), bits)
	}
	return prefixes
}

// scattered6 is the same for IPv6, of /32s.
func scattered6(rng *rand.Rand, n int) []netip.Prefix {
	const cells = 1 << 24
	prefixes := make([]netip.Prefix, n)
	for i := range prefixes {
		var a [16]byte
		cell := 0x2000_0000 + uint32(i*(cells/n))
		a[0], a[1], a[2], a[3] = byte(cell>>24), byte(cell>>16), byte(cell>>8), byte(cell)
		a[4], a[5] = byte(1+rng.IntN(254)), byte(rng.IntN(256))
		prefixes[i] = netip.PrefixFrom(netip.AddrFrom16(a), 40+rng.IntN(9)).Masked()
	}
	return prefixes
}

func addr4(v uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// within is a random address of a prefix.
func within(rng *rand.Rand, p netip.Prefix) netip.Addr {
	bytes, bits := p.Addr().AsSlice(), p.Bits()
	for i := range bytes {
		free := min(max((i+1)*8-bits, 0), 8)
		bytes[i] |= byte(rng.IntN(1 << free))
	}
	a, _ := netip.AddrFromSlice(bytes)
	return a
}

// outside is a random unicast address of a family that is not in set.
func outside(rng *rand.Rand, set *netipx.IPSet, six bool) netip.Addr {
	for {
		a := addr4(rng.Uint32())
		if six {
			a = within(rng, netip.MustParsePrefix("2000::/3"))
		}
		if first := a.AsSlice()[0]; !six && (first == 0 || first == 127 || first > 223) {
			continue
		}
		if !set.Contains(a) {
			return a
		}
	}
}

// setOf is the union of prefixes.
func setOf(s *testenv.Stage, prefixes []netip.Prefix) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, p := range prefixes {
		b.AddPrefix(p)
	}
	set, err := b.IPSet()
	s.Check(err)
	return set
}

// family are the prefixes of one family.
func family(prefixes []netip.Prefix, six bool) []netip.Prefix {
	var of []netip.Prefix
	for _, p := range prefixes {
		if p.Addr().Is6() == six {
			of = append(of, p)
		}
	}
	return of
}
