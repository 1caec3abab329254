package datapath

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/postern-io/postern/pkg/policy"
)

func TestWordsRoundTrip(t *testing.T) {
	for _, text := range []string{"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "2001:db8::1:2", "::ffff:192.0.2.1"} {
		a := netip.MustParseAddr(text)
		if got := addrOf(words(a), familyOf(a)); got != a {
			t.Errorf("%v comes back as %v", a, got)
		}
	}
}

// Every destination is in its line or in the trie, and few are in the trie.
func TestPlaceLosesNothing(t *testing.T) {
	for _, n := range []int{0, 1, 3, 8, 9, 100, 5000} {
		var dests []policy.Dest
		r := rand.New(rand.NewPCG(uint64(n), 0))
		for i := range n {
			var b [16]byte
			binary.BigEndian.PutUint64(b[:], 0x20010db8<<32|r.Uint64()>>32)
			binary.BigEndian.PutUint32(b[12:], uint32(i))
			dests = append(dests,
				policy.Dest{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte(b[12:])), 32), Record: i + 1},
				policy.Dest{Prefix: netip.PrefixFrom(netip.AddrFrom16(b), 128), Record: i + 1})
		}
		p := place(dests)
		for _, d := range dests {
			if got := p.find(d.Prefix.Addr()); got != uint32(d.Record) {
				t.Fatalf("of %d: %v has record %d, want %d", n, d.Prefix, got, d.Record)
			}
		}
		if spilled := len(p.prefixes[v4]) + len(p.prefixes[v6]); spilled > 2*n/20 {
			t.Errorf("of %d destinations %d found no room in their line", 2*n, spilled)
		}
	}
}

// find is what match.h does.
func (p *places) find(a netip.Addr) uint32 {
	w, family := words(a), familyOf(a)
	if family == v4 {
		line := p.lines4[hash(w)&uint32(len(p.lines4)-1)]
		for i, other := range line.Addr {
			if other == uint32(w[0]) && line.Record[i] != 0 {
				return line.Record[i]
			}
		}
	} else {
		line := p.lines6[hash(w)&uint32(len(p.lines6)-1)]
		for i, other := range line.Addr {
			if other == w && line.Record[i] != 0 {
				return line.Record[i]
			}
		}
	}
	return longest(p.prefixes[family], a)
}
