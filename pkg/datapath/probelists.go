package datapath

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// probeAll holds every list that was loaded against the set it came from.
func (st *staging) probeAll() error {
	for _, s := range st.order {
		on := st.pending[s]
		if on == nil {
			continue // it was there before
		}
		for family := range families {
			if err := st.probeList(s, on, family); err != nil {
				return err
			}
		}
	}
	for _, c := range st.classes {
		for family, id := range c.ids {
			if err := st.probeDestinations(id, c.prefixes[family]); err != nil {
				return err
			}
		}
	}
	return st.probe.flush()
}

func (st *staging) probeList(s *policy.Set, on *list, family int) error {
	word := on.words[family]
	if bpfKind(word&0xff) != bpfKindTRIE || st.edited(family, word) {
		return nil
	}
	if u := on.union[family]; u != nil {
		want := func(a netip.Addr) uint32 { return min(longest(u, a), 1) }
		return st.probe.edges(word, some(u, probeMax), want)
	}
	want := func(a netip.Addr) uint32 {
		if s.Contains(a) {
			return 1
		}
		return 0
	}
	f := familySet(s, family)
	if err := st.probe.edges(word, f.Allow, want); err != nil {
		return err
	}
	return st.probe.edges(word, f.Deny, want)
}

func (st *staging) probeDestinations(id uint32, prefixes map[netip.Prefix]uint32) error {
	want := func(a netip.Addr) uint32 { return longest(prefixes, a) }
	return st.probe.edges(trieWord(id), some(prefixes, probeMax), want)
}

// longest is the value of the longest prefix that holds a, or 0.
func longest(m map[netip.Prefix]uint32, a netip.Addr) uint32 {
	for bits := a.BitLen(); bits >= 0; bits-- {
		p, _ := a.Prefix(bits)
		if value, ok := m[p]; ok {
			return value
		}
	}
	return 0
}

// some are up to n keys of m: all, or as many as chance gives.
func some(m map[netip.Prefix]uint32, n int) []netip.Prefix {
	keys := make([]netip.Prefix, 0, min(len(m), n))
	for p := range maps.Keys(m) {
		if len(keys) == n {
			break
		}
		keys = append(keys, p)
	}
	return slices.Clip(keys)
}
