package policy

import (
	"cmp"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// Set is a compiled list: what it answers for each family. Equal sets are one
// pointer within a Table, and an unchanged list keeps its Set in the next one.
type Set struct {
	V4 FamilySet[uint32]
	V6 FamilySet[U128]
	// Parts makes this set the union of others, in a stable order; V4 and V6
	// then say the kind only. Whoever loads a union counts where each part
	// turns, so that a changed part is a delta.
	Parts []*Set
}

// FamilySet is a set's answer for one family: First up to and including
// Ends[0], and the opposite of what it was after each end.
type FamilySet[K uint32 | U128] struct {
	Kind  Kind
	First bool
	Ends  []K // sorted, distinct; never the last address of the family
}

// Kind says how a FamilySet answers, from narrow to wide: a union's is the widest
// of its parts'.
type Kind uint8

const (
	KindNobody Kind = iota // nobody passes
	KindListed             // the ends say, or the parts
	KindOpen               // everybody passes
)

var (
	openSet   = &Set{V4: newFamilySet[uint32](true, nil), V6: newFamilySet[U128](true, nil)}
	nobodySet = &Set{}
)

func newFamilySet[K uint32 | U128](first bool, ends []K) FamilySet[K] {
	f := FamilySet[K]{KindListed, first, ends}
	switch {
	case len(ends) > 0:
	case first:
		f.Kind = KindOpen
	default:
		f.Kind = KindNobody
	}
	return f
}

// NewSet is who is in an allow prefix and in no deny prefix.
func NewSet(allow, deny []netip.Prefix) *Set {
	var w sweeper
	for _, p := range allow {
		w.add(netipx.RangeOfPrefix(p), 0, Allow)
	}
	for _, p := range deny {
		w.add(netipx.RangeOfPrefix(p), 0, Deny)
	}
	x := w.index()
	s := x.set(true)
	return &s
}

// UnionOf is who is in one of the sets. Unions within are taken apart.
func UnionOf(sets ...*Set) *Set {
	var u Set
	seen := make(map[*Set]bool, len(sets))
	for _, s := range sets {
		u.V4, u.V6 = widest(u.V4, s.V4), widest(u.V6, s.V6)
		parts := s.Parts
		if parts == nil {
			parts = []*Set{s}
		}
		for _, part := range parts {
			if !seen[part] && part != nobodySet {
				seen[part] = true
				u.Parts = append(u.Parts, part)
			}
		}
	}
	if s := u.plainer(); s != nil {
		return s
	}
	return &u
}

// plainer is what a union comes to that is none: everybody, nobody, or its only
// part. Nil: it is one.
func (s *Set) plainer() *Set {
	switch {
	case s.IsOpen():
		return openSet
	case len(s.Parts) == 0:
		return nobodySet
	case len(s.Parts) == 1:
		return s.Parts[0]
	}
	return nil
}

// widest is the kind of a union of a and b.
func widest[K uint32 | U128](a, b FamilySet[K]) FamilySet[K] {
	kind := max(a.Kind, b.Kind)
	return FamilySet[K]{Kind: kind, First: kind == KindOpen}
}

// Contains reports whether the set lets a pass: what a lookup in the kernel must
// answer.
func (s *Set) Contains(a netip.Addr) bool {
	switch {
	case s.Parts != nil:
		return slices.ContainsFunc(s.Parts, func(p *Set) bool { return p.Contains(a) })
	case a.Is4():
		return s.V4.turned(rank4(s.V4.Ends, a))
	}
	return s.V6.turned(rank6(s.V6.Ends, a))
}

// turned is the answer after so many ends.
func (f *FamilySet[K]) turned(ends int) bool { return f.First != (ends%2 == 1) }

// IsOpen reports whether everybody passes, in both families.
func (s *Set) IsOpen() bool { return s.V4.Kind == KindOpen && s.V6.Kind == KindOpen }

// intersect is who passes both sets, neither a union.
func intersect(a, b *Set) Set {
	return Set{
		V4: both(&a.V4, &b.V4, cmp.Compare[uint32]),
		V6: both(&a.V6, &b.V6, U128.Compare),
	}
}

// both walks over the ends of a and b in order and keeps those where the answer
// of the two together turns.
func both[K uint32 | U128](a, b *FamilySet[K], compare func(K, K) int) FamilySet[K] {
	switch {
	case a.Kind == KindNobody || b.Kind == KindOpen:
		return *a
	case b.Kind == KindNobody || a.Kind == KindOpen:
		return *b
	}
	var ends []K
	i, j, last := 0, 0, a.First && b.First
	for i < len(a.Ends) || j < len(b.Ends) {
		order := 0
		switch {
		case j == len(b.Ends):
			order = -1
		case i == len(a.Ends):
			order = 1
		default:
			order = compare(a.Ends[i], b.Ends[j])
		}
		var end K
		if order <= 0 {
			end, i = a.Ends[i], i+1
		}
		if order >= 0 {
			end, j = b.Ends[j], j+1
		}
		if now := a.turned(i) && b.turned(j); now != last {
			ends, last = append(ends, end), now
		}
	}
	return newFamilySet(a.First && b.First, slices.Clip(slices.Clone(ends)))
}
