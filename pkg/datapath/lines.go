package datapath

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// words is an address as the program loads it from a packet: two words in
// network byte order, IPv4 in the low half of the first. Both the program and
// the agent run on little-endian CPUs.
func words(a netip.Addr) [2]uint64 {
	if a.Is4() {
		b := a.As4()
		return [2]uint64{uint64(binary.LittleEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return [2]uint64{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}
}

// addrOf is the inverse of words.
func addrOf(w [2]uint64, family int) netip.Addr {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], w[0])
	binary.LittleEndian.PutUint64(b[8:], w[1])
	if family == v4 {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	return netip.AddrFrom16(b)
}

// hash is match.h's.
func hash(w [2]uint64) uint32 {
	const k = 0x9e3779b97f4a7c15
	return uint32(((w[0] * k) ^ (w[0] >> 32) ^ w[1]) * k >> 32)
}

// put4 puts an address into its line; false where the line is full.
func put4(lines []bpfLine4, a netip.Addr, record uint32) bool {
	w := words(a)
	line := &lines[hash(w)&uint32(len(lines)-1)]
	i := slices.Index(line.Record[:], 0)
	if i < 0 {
		return false
	}
	line.Addr[i], line.Record[i] = uint32(w[0]), record
	return true
}

func put6(lines []bpfLine6, a netip.Addr, record uint32) bool {
	w := words(a)
	line := &lines[hash(w)&uint32(len(lines)-1)]
	i := slices.Index(line.Record[:], 0)
	if i < 0 {
		return false
	}
	line.Addr[i], line.Record[i] = w, record
	return true
}

// places are where the destinations of a class went.
type places struct {
	lines4 []bpfLine4
	lines6 []bpfLine6
	// prefixes are for the tries: the destinations that are no single address,
	// and those that found their line full.
	prefixes [families]map[netip.Prefix]uint32
}

// place lays out the destinations of a class.
func place(dests []policy.Dest) places {
	n4, n6 := countSingles(dests)
	p := places{
		lines4: make([]bpfLine4, lineCount4(n4)),
		lines6: make([]bpfLine6, lineCount6(n6)),
	}
	for _, d := range dests {
		a, record := d.Prefix.Addr(), uint32(d.Record)
		family := familyOf(a)
		if d.Prefix.IsSingleIP() && (family == v4 && put4(p.lines4, a, record) || family == v6 && put6(p.lines6, a, record)) {
			continue
		}
		if p.prefixes[family] == nil {
			p.prefixes[family] = map[netip.Prefix]uint32{}
		}
		p.prefixes[family][d.Prefix] = record
	}
	return p
}
