package policy

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
)

// U128 is an IPv6 address as a number.
type U128 struct{ Hi, Lo uint64 }

// ToU128 is an address as a number; an IPv4 address is its 32 bits.
func ToU128(a netip.Addr) U128 {
	if a.Is4() {
		return U128{Lo: uint64(toU32(a))}
	}
	b := a.As16()
	return U128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// toU32 is an IPv4 address as a number.
func toU32(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// addr4 is the IPv4 address whose number is n.
func addr4(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}

// Addr is the IPv6 address whose number is u.
func (u U128) Addr() netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], u.Hi)
	binary.BigEndian.PutUint64(b[8:], u.Lo)
	return netip.AddrFrom16(b)
}

// Compare is -1, 0 or 1 as u is before, at or after v.
func (u U128) Compare(v U128) int {
	if c := cmp.Compare(u.Hi, v.Hi); c != 0 {
		return c
	}
	return cmp.Compare(u.Lo, v.Lo)
}

// Next is u+1; not ok past the last number.
func (u U128) Next() (U128, bool) {
	lo, carry := bits.Add64(u.Lo, 1, 0)
	hi, over := bits.Add64(u.Hi, 0, carry)
	return U128{hi, lo}, over == 0
}

// Prev is u-1; not ok before 0.
func (u U128) Prev() (U128, bool) {
	lo, borrow := bits.Sub64(u.Lo, 1, 0)
	hi, under := bits.Sub64(u.Hi, 0, borrow)
	return U128{hi, lo}, under == 0
}

// The last address of each family.
var (
	lastIPv4 = U128{Lo: math.MaxUint32}
	lastIPv6 = U128{math.MaxUint64, math.MaxUint64}
)
