package datapath

import (
	"iter"
	"net/netip"

	"github.com/postern-io/postern/pkg/policy"
)

// probeAll asks for every list that was loaded, on both sides of each of its
// ends.
func (st *staging) probeAll() error {
	for _, in := range st.added {
		if err := in.probe(st.probe); err != nil {
			return err
		}
	}
	for _, l := range st.toProbe {
		if err := st.index[l.family].probe(st.probe, l.set, st.pending[l.set].words[l.family]); err != nil {
			return err
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

// probeEnds asks on both sides of each end.
func probeEnds[K end](p *prober, f form[K], word uint64, first bool, ends []K) error {
	for _, e := range ends {
		for _, a := range [2]K{e, f.next(e)} {
			if err := p.ask(word, f.family(), f.words(a), uint32(delta(first))); err != nil {
				return err
			}
			first = !first
		}
		first = !first
	}
	return nil
}

// probeSegments asks at the beginning of each slot too.
func probeSegments[K end](p *prober, f form[K], r root, all iter.Seq2[int, segment[K]]) error {
	word := r.word()
	for i, seg := range all {
		if !r.has(i) {
			continue
		}
		if err := p.ask(word, f.family(), f.words(f.at(r.start(i))), uint32(delta(seg.first))); err != nil {
			return err
		}
		if err := probeEnds(p, f, word, seg.first, seg.ends); err != nil {
			return err
		}
	}
	return nil
}

func (x *index[K]) probe(p *prober, s *policy.Set, word uint64) error {
	first, ends := x.ends(s)
	return probeEnds(p, x.form, word, first, ends)
}

// probeDestinations asks at the edges of prefixes. The longest of them says.
func (st *staging) probeDestinations(id uint32, prefixes map[netip.Prefix]uint32) error {
	for p := range prefixes {
		if err := st.probe.edges(trieWord(id), p, func(a netip.Addr) uint32 { return longest(prefixes, a) }); err != nil {
			return err
		}
	}
	return nil
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
