package policy

import (
	"cmp"
	"hash/maphash"
	"net/netip"
	"slices"
	"sort"
	"weak"

	"go4.org/netipx"
)

var (
	openSet   = &Set{V4: FamilySet{Kind: KindOpen}, V6: FamilySet{Kind: KindOpen}}
	nobodySet = &Set{}
	everyIPv4 = netip.MustParsePrefix("0.0.0.0/0")
	everyIPv6 = netip.MustParsePrefix("::/0")
)

// Family is the set's answer for the family of a.
func (s *Set) Family(a netip.Addr) *FamilySet {
	if a.Is4() {
		return &s.V4
	}
	return &s.V6
}

// Contains reports whether the set lets a pass: what a lookup in the kernel must
// answer.
func (s *Set) Contains(a netip.Addr) bool {
	f := s.Family(a)
	if f.Kind != KindListed || s.Parts == nil {
		return f.contains(a)
	}
	return slices.ContainsFunc(s.Parts, func(p *Set) bool { return p.Contains(a) })
}

// IsOpen reports whether everybody passes, in both families.
func (s *Set) IsOpen() bool { return s.V4.Kind == KindOpen && s.V6.Kind == KindOpen }

func (f *FamilySet) contains(a netip.Addr) bool {
	if f.Kind != KindListed {
		return f.Kind == KindOpen
	}
	return holds(f.Allow, a) && !holds(f.Deny, a)
}

// Flat is the family's prefixes without denies: what is left of the allow
// prefixes once the denies are cut out. It can be much longer than both (one
// address cut out of an IPv6 prefix leaves up to 127).
func (f *FamilySet) Flat() []netip.Prefix {
	if len(f.Deny) == 0 {
		return f.Allow
	}
	var flat []netip.Prefix
	deny := f.Deny
	for _, allow := range f.Allow {
		r := netipx.RangeOfPrefix(allow)
		from := r.From()
		for ; len(deny) > 0 && deny[0].Addr().Compare(r.To()) <= 0; deny = deny[1:] {
			if start := deny[0].Addr(); from.Less(start) {
				flat = netipx.IPRangeFrom(from, start.Prev()).AppendPrefixes(flat)
			}
			from = netipx.PrefixLastIP(deny[0]).Next()
		}
		if from.IsValid() && from.Compare(r.To()) <= 0 {
			flat = netipx.IPRangeFrom(from, r.To()).AppendPrefixes(flat)
		}
	}
	return flat
}

// newFamilySet brings disjoint sorted prefixes to the one form FamilySet
// promises: a deny speaks over an allow, whatever their sizes.
func newFamilySet(allow, deny []netip.Prefix) FamilySet {
	if len(deny) > 0 {
		allow = slices.DeleteFunc(slices.Clone(allow), func(p netip.Prefix) bool { return within(p, deny) })
		deny = slices.DeleteFunc(slices.Clone(deny), func(p netip.Prefix) bool { return !within(p, allow) })
	}
	switch {
	case len(allow) == 0:
		return FamilySet{Kind: KindNobody}
	case len(deny) == 0 && allow[0].Bits() == 0:
		return FamilySet{Kind: KindOpen}
	}
	return FamilySet{KindListed, allow, deny}
}

// intersect is what passes both, as prefixes: no longer than its arguments
// together.
func intersect(a, b FamilySet) FamilySet {
	switch {
	case a.Kind == KindNobody || b.Kind == KindOpen:
		return a
	case b.Kind == KindNobody || a.Kind == KindOpen:
		return b
	}
	return newFamilySet(common(a.Allow, b.Allow), merge(a.Deny, b.Deny))
}

// common is the addresses in both of two runs of disjoint sorted prefixes. Of
// two prefixes that meet one lies inside the other.
func common(a, b []netip.Prefix) []netip.Prefix {
	var both []netip.Prefix
	for len(a) > 0 && len(b) > 0 {
		switch {
		case covers(a[0], b[0]):
			both, b = append(both, b[0]), b[1:]
		case covers(b[0], a[0]):
			both, a = append(both, a[0]), a[1:]
		case a[0].Addr().Less(b[0].Addr()):
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return both
}

// merge is the addresses in either, sorted, without prefixes inside others.
func merge(a, b []netip.Prefix) []netip.Prefix {
	all := slices.Concat(a, b)
	slices.SortFunc(all, comparePrefixes)
	outer := all[:0]
	for _, p := range all {
		if len(outer) == 0 || !covers(outer[len(outer)-1], p) {
			outer = append(outer, p)
		}
	}
	return outer
}

// comparePrefixes sorts by address, the wider first.
func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

func covers(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// within reports whether p lies in one of the disjoint sorted prefixes.
func within(p netip.Prefix, sorted []netip.Prefix) bool {
	i := sort.Search(len(sorted), func(i int) bool { return p.Addr().Less(sorted[i].Addr()) })
	return i > 0 && covers(sorted[i-1], p)
}

func holds(sorted []netip.Prefix, a netip.Addr) bool {
	return within(netip.PrefixFrom(a, a.BitLen()), sorted)
}

// interner keeps one pointer for equal sets, so that equal lists are loaded
// once. It keeps no set alive.
type interner struct {
	seed maphash.Seed
	sets map[uint64][]weak.Pointer[Set]
	size int // how many pointers there are
	live int // how many of them were alive at the last sweep
}

func (in *interner) intern(s Set) *Set {
	switch {
	case s.Parts != nil:
	case s.V4.Kind == KindOpen && s.V6.Kind == KindOpen:
		return openSet
	case s.V4.Kind == KindNobody && s.V6.Kind == KindNobody:
		return nobodySet
	}
	if in.sets == nil {
		in.sets, in.seed = map[uint64][]weak.Pointer[Set]{}, maphash.MakeSeed()
	}
	h := in.hash(&s)
	for _, w := range in.sets[h] {
		if old := w.Value(); old != nil && old.equal(&s) {
			return old
		}
	}
	in.sets[h] = append(in.sets[h], weak.Make(&s))
	in.size++
	return &s
}

// sources is the set of the given prefixes; nil where there are none.
func (in *interner) sources(prefixes []netip.Prefix) *Set {
	if len(prefixes) == 0 {
		return nil
	}
	var sp spans
	for i, prefix := range prefixes {
		sp.add(netipx.RangeOfPrefix(prefix), i, Allow)
	}
	sp.sort()
	return in.intern(sp.set(true))
}

// sweep forgets the sets that are gone, once they may be half of all.
func (in *interner) sweep() {
	if in.size <= 2*in.live+1024 {
		return
	}
	in.size = 0
	for h, ws := range in.sets {
		ws = slices.DeleteFunc(ws, func(w weak.Pointer[Set]) bool { return w.Value() == nil })
		if in.sets[h] = ws; len(ws) == 0 {
			delete(in.sets, h)
		}
		in.size += len(ws)
	}
	in.live = in.size
}

func (in *interner) hash(s *Set) uint64 {
	var h maphash.Hash
	h.SetSeed(in.seed)
	for _, f := range []*FamilySet{&s.V4, &s.V6} {
		maphash.WriteComparable(&h, f.Kind)
		for _, p := range f.Allow {
			maphash.WriteComparable(&h, p)
		}
		for _, p := range f.Deny {
			maphash.WriteComparable(&h, p)
		}
	}
	for _, p := range s.Parts {
		maphash.WriteComparable(&h, p)
	}
	return h.Sum64()
}

func (s *Set) equal(t *Set) bool {
	return s.V4.equal(&t.V4) && s.V6.equal(&t.V6) && slices.Equal(s.Parts, t.Parts)
}

func (f *FamilySet) equal(g *FamilySet) bool {
	return f.Kind == g.Kind && slices.Equal(f.Allow, g.Allow) && slices.Equal(f.Deny, g.Deny)
}
