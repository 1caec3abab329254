package policy

import (
	"net/netip"
	"slices"
)

// index says which entry of a list speaks for an address. It cuts each family
// into segments; a segment's label names the entry that holds in all of it.
type index struct {
	v4 segments[uint32]
	v6 segments[U128]
}

// segments are sorted, and each is given by its last address, as in FamilySet:
// labels[i] holds up to and including ends[i], and one label more than there
// are ends holds for the rest. No labels: no entry holds anywhere.
type segments[K uint32 | U128] struct {
	ends   []K
	labels []label
}

// label is 0 for "no entry", i+1 for the allow entry i and -(i+1) for the deny
// entry i.
type label int32

func allowLabel(i int32) label { return label(i + 1) }
func denyLabel(i int32) label  { return -label(i + 1) }

func (l label) entry() int {
	if l < 0 {
		l = -l
	}
	return int(l) - 1
}

// find is the label of a's segment.
func (x *index) find(a netip.Addr) label {
	if a.Is4() {
		return x.v4.label(rank4(x.v4.ends, a))
	}
	return x.v6.label(rank6(x.v6.ends, a))
}

func (s *segments[K]) label(i int) label {
	if len(s.labels) == 0 {
		return 0
	}
	return s.labels[i]
}

// rank4 is how many of the sorted ends lie before a.
func rank4(ends []uint32, a netip.Addr) int {
	i, _ := slices.BinarySearch(ends, toU32(a))
	return i
}

func rank6(ends []U128, a netip.Addr) int {
	i, _ := slices.BinarySearchFunc(ends, ToU128(a), U128.Compare)
	return i
}

// set is who passes: whom an allow entry speaks for, and, where the list does
// not restrict, whom no entry does.
func (x *index) set(restricts bool) Set {
	return Set{V4: x.v4.set(restricts), V6: x.v6.set(restricts)}
}

func (s *segments[K]) set(restricts bool) FamilySet[K] {
	passes := func(i int) bool {
		l := s.label(i)
		return l > 0 || l == 0 && !restricts
	}
	turns := 0
	for i := range s.ends {
		if passes(i) != passes(i+1) {
			turns++
		}
	}
	if turns == len(s.ends) {
		return newFamilySet(passes(0), s.ends)
	}
	ends := make([]K, 0, turns)
	for i, end := range s.ends {
		if passes(i) != passes(i+1) {
			ends = append(ends, end)
		}
	}
	return newFamilySet(passes(0), ends)
}

// share drops the index's own ends where the set has the same: every end of the
// set is one of the index.
func (x *index) share(s *Set) {
	if len(x.v4.ends) == len(s.V4.Ends) {
		x.v4.ends = s.V4.Ends
	}
	if len(x.v6.ends) == len(s.V6.Ends) {
		x.v6.ends = s.V6.Ends
	}
}
