package datapath

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"slices"
	"sort"

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

// probes is how many places an address may be at; PROBES of maps.h.
const probes = 12

// places are where the destinations of a plan's classes are, in either bank.
type places struct {
	of      []policy.Class // whom they were laid out for
	classes []classPlaces  // by number
	exact   []place        // by record
	room    int            // places that a bank needs
}

// classPlaces are those of a class.
type classPlaces struct {
	first, homes [families]uint32
	// prefixes are for the tries: what is no single address, and what found no
	// place.
	prefixes [families]map[netip.Prefix]uint32
}

// place is where the copy of a record for one destination goes.
type place struct {
	record, at uint32
	family     int
	key        [2]uint64
}

// layOut finds places for the destinations of classes. Often two classes have
// the same, one for a port and the guard: those share them.
func layOut(classes []policy.Class) *places {
	l := &places{of: classes, classes: make([]classPlaces, len(classes)), room: probes}
	seed, known := maphash.MakeSeed(), map[uint64]int{}
	for i := range classes {
		dests := classes[i].Dests
		sum := fingerprint(seed, dests)
		if like, ok := known[sum]; ok && slices.Equal(classes[like].Dests, dests) {
			l.classes[i] = l.classes[like]
			continue
		}
		known[sum] = i
		l.classes[i] = l.add(dests)
	}
	slices.SortFunc(l.exact, func(a, b place) int { return cmp.Compare(a.record, b.record) })
	return l
}

func fingerprint(seed maphash.Seed, dests []policy.Dest) (sum uint64) {
	for _, d := range dests {
		sum = sum*31 + maphash.Comparable(seed, d)
	}
	return sum
}

func (l *places) add(dests []policy.Dest) classPlaces {
	var on classPlaces
	var singles [families][]place
	for _, d := range dests {
		family, key := familyOf(d.Prefix.Addr()), words(d.Prefix.Addr())
		if d.Prefix.IsSingleIP() {
			singles[family] = append(singles[family], place{record: uint32(d.Record), key: key, family: family})
		} else {
			on.put(family, d.Prefix, uint32(d.Record))
		}
	}
	for family := range families {
		l.settle(&on, family, singles[family])
	}
	return on
}

// settle gives n addresses 3n/2 homes. Each has the first free place from its
// home on, the lower homes first, so that none ends up much farther away than the
// others. No row of taken places is longer than n, so none is looked for behind
// the last.
func (l *places) settle(on *classPlaces, family int, singles []place) {
	first, homes := uint32(l.room-probes), uint32(3*len(singles)/2)
	on.first[family], on.homes[family] = first, homes
	for i, p := range singles {
		singles[i].at = home(p.key, homes)
	}
	slices.SortStableFunc(singles, func(a, b place) int { return cmp.Compare(a.at, b.at) })
	next := uint32(0)
	for _, p := range singles {
		at := max(p.at, next)
		if at-p.at >= probes {
			a := addrOf(p.key, family)
			on.put(family, netip.PrefixFrom(a, a.BitLen()), p.record)
			continue
		}
		next = at + 1
		p.at = first + at
		l.exact = append(l.exact, p)
	}
	l.room += int(homes) + min(len(singles), probes)
}

func (on *classPlaces) put(family int, p netip.Prefix, record uint32) {
	if on.prefixes[family] == nil {
		on.prefixes[family] = map[netip.Prefix]uint32{}
	}
	on.prefixes[family][p] = record
}

// home is the first place to look at.
func home(key [2]uint64, homes uint32) uint32 {
	return uint32(uint64(hash(key)) * uint64(homes) >> 32)
}

// copies are the places of a record.
func (l *places) copies(record int) []place {
	i := sort.Search(len(l.exact), func(i int) bool { return int(l.exact[i].record) >= record })
	n := sort.Search(len(l.exact[i:]), func(n int) bool { return int(l.exact[i+n].record) > record })
	return l.exact[i : i+n]
}
