package policy

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
	"sort"

	"github.com/postern-io/postern/pkg/addr"
)

// index says which entry of a list speaks for an address. It cuts each family
// into segments; a segment's label names the entry that holds in all of it.
type index struct {
	v4 segments[uint32]
	v6 segments[u128]
}

// segments are sorted by where they start; one ends where the next begins.
type segments[K any] struct {
	starts []K
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

// span is one live entry's range.
type span struct {
	from, to u128
	entry    int32
	deny     bool
}

// spans are the ranges of the entries, apart by family and sorted by start.
type spans struct{ v4, v6 []span }

func (s *spans) add(r addr.Range, entry int, action Action) {
	sp := span{toU128(r.From()), toU128(r.To()), int32(entry), action == Deny}
	if r.From().Is4() {
		s.v4 = append(s.v4, sp)
	} else {
		s.v6 = append(s.v6, sp)
	}
}

func (s *spans) sort() {
	for _, f := range [][]span{s.v4, s.v6} {
		slices.SortFunc(f, func(a, b span) int { return a.from.compare(b.from) })
	}
}

// index cuts the sorted spans into segments.
func (s *spans) index() index {
	starts, labels := sweep(s.v4)
	if n := len(starts); n > 0 && starts[n-1] == pastIPv4 {
		starts, labels = starts[:n-1], labels[:n-1]
	}
	v4 := segments[uint32]{make([]uint32, len(starts)), labels}
	for i, k := range starts {
		v4.starts[i] = uint32(k.lo)
	}
	starts, labels = sweep(s.v6)
	return index{v4: v4, v6: segments[u128]{starts, labels}}
}

// find is the label of a's segment.
func (x *index) find(a netip.Addr) label {
	if a.Is4() {
		b := a.As4()
		k := binary.BigEndian.Uint32(b[:])
		i := sort.Search(len(x.v4.starts), func(i int) bool { return x.v4.starts[i] > k })
		return x.v4.before(i)
	}
	k := toU128(a)
	i := sort.Search(len(x.v6.starts), func(i int) bool { return k.compare(x.v6.starts[i]) < 0 })
	return x.v6.before(i)
}

func (s *segments[K]) before(i int) label {
	if i == 0 {
		return 0
	}
	return s.labels[i-1]
}

// sweep walks over every place where a span begins or ends. Where several
// entries hold, a deny speaks before an allow, and the first typed of a kind.
func sweep(sorted []span) (starts []u128, labels []label) {
	if len(sorted) == 0 {
		return nil, nil
	}
	var allow, deny active
	next, last := 0, label(0)
	for _, cut := range cuts(sorted) {
		for ; next < len(sorted) && sorted[next].from == cut; next++ {
			if sorted[next].deny {
				deny.push(sorted[next])
			} else {
				allow.push(sorted[next])
			}
		}
		l := label(0)
		if sp, ok := deny.first(cut); ok {
			l = denyLabel(sp.entry)
		} else if sp, ok := allow.first(cut); ok {
			l = allowLabel(sp.entry)
		}
		if l != last {
			starts, labels, last = append(starts, cut), append(labels, l), l
		}
	}
	return slices.Clip(starts), slices.Clip(labels)
}

// cuts are the distinct places where the spans begin, or have just ended.
func cuts(sorted []span) []u128 {
	cuts := make([]u128, 0, 2*len(sorted))
	for _, sp := range sorted {
		cuts = append(cuts, sp.from)
		if end, ok := sp.to.next(); ok {
			cuts = append(cuts, end)
		}
	}
	slices.SortFunc(cuts, u128.compare)
	return slices.Compact(cuts)
}

// active is a heap of the spans that hold, the first typed on top; one that has
// ended leaves when it comes to the top.
type active []span

func (h *active) push(sp span) {
	*h = append(*h, sp)
	s := *h
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if s[parent].entry <= s[i].entry {
			return
		}
		s[i], s[parent] = s[parent], s[i]
		i = parent
	}
}

func (h *active) first(at u128) (span, bool) {
	for len(*h) > 0 {
		if top := (*h)[0]; top.to.compare(at) >= 0 {
			return top, true
		}
		h.pop()
	}
	return span{}, false
}

func (h *active) pop() {
	s := *h
	n := len(s) - 1
	s[0] = s[n]
	s = s[:n]
	*h = s
	for i := 0; ; {
		child := 2*i + 1
		if child+1 < n && s[child+1].entry < s[child].entry {
			child++
		}
		if child >= n || s[i].entry <= s[child].entry {
			return
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
}

// u128 is an address as a number; an IPv4 address is its 32 bits.
type u128 struct{ hi, lo uint64 }

func toU128(a netip.Addr) u128 {
	if a.Is4() {
		b := a.As4()
		return u128{0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return u128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (u u128) addr(is4 bool) netip.Addr {
	if is4 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(u.lo))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], u.hi)
	binary.BigEndian.PutUint64(b[8:], u.lo)
	return netip.AddrFrom16(b)
}

func (u u128) compare(v u128) int {
	if c := cmp.Compare(u.hi, v.hi); c != 0 {
		return c
	}
	return cmp.Compare(u.lo, v.lo)
}

// pastIPv4 is the number after 255.255.255.255.
var pastIPv4 = u128{0, 1 << 32}

// next is u+1; not ok past the end of IPv6. The end of IPv4 has a next:
// pastIPv4.
func (u u128) next() (u128, bool) {
	lo, carry := bits.Add64(u.lo, 1, 0)
	hi, over := bits.Add64(u.hi, 0, carry)
	return u128{hi, lo}, over == 0
}
