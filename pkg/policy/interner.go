package policy

import (
	"encoding/binary"
	"hash/maphash"
	"maps"
	"net/netip"
	"slices"
	"weak"
)

// interner keeps one pointer for equal sets, so that equal lists are loaded
// once. It keeps no set alive.
type interner struct {
	seed maphash.Seed
	// sets has one set a hash. Were there two of one hash, the later would take
	// the place, and lists equal to the other would be loaded beside it.
	sets map[uint64]weak.Pointer[Set]
	live int // how many of them were alive at the last sweep
	text []byte
}

func (in *interner) intern(s Set) *Set {
	switch {
	case s.Parts != nil:
	case s.IsOpen():
		return openSet
	case s.V4.Kind == KindNobody && s.V6.Kind == KindNobody:
		return nobodySet
	}
	if in.sets == nil {
		in.sets, in.seed = map[uint64]weak.Pointer[Set]{}, maphash.MakeSeed()
	}
	h := in.hash(&s)
	if old := in.sets[h].Value(); old != nil && old.equal(&s) {
		return old
	}
	kept := &s
	in.sets[h] = weak.Make(kept)
	return kept
}

// sources is the set of the given prefixes; nil where there are none.
func (in *interner) sources(prefixes []netip.Prefix) *Set {
	if len(prefixes) == 0 {
		return nil
	}
	return in.intern(*NewSet(prefixes, nil))
}

// sweep forgets the sets that are gone, once they may be half of all.
func (in *interner) sweep() {
	if len(in.sets) <= 2*in.live+1024 {
		return
	}
	maps.DeleteFunc(in.sets, func(_ uint64, w weak.Pointer[Set]) bool { return w.Value() == nil })
	in.live = len(in.sets)
}

// hash runs over the set as one text: hashing end by end takes several times as
// long.
func (in *interner) hash(s *Set) uint64 {
	in.text = binary.LittleEndian.AppendUint32(in.text[:0], uint32(len(s.V4.Ends)))
	in.text = append(in.text, byte(s.V4.Kind), flag(s.V4.First), byte(s.V6.Kind), flag(s.V6.First))
	for _, end := range s.V4.Ends {
		in.text = binary.LittleEndian.AppendUint32(in.text, end)
	}
	for _, end := range s.V6.Ends {
		in.text = binary.LittleEndian.AppendUint64(in.text, end.Hi)
		in.text = binary.LittleEndian.AppendUint64(in.text, end.Lo)
	}
	h := maphash.Bytes(in.seed, in.text)
	for _, part := range s.Parts {
		h = maphash.Comparable(in.seed, hashedPart{h, part})
	}
	return h
}

// hashedPart is a part of a union and the hash of what stands before it.
type hashedPart struct {
	before uint64
	part   *Set
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func (s *Set) equal(t *Set) bool {
	return s.V4.equal(&t.V4) && s.V6.equal(&t.V6) && slices.Equal(s.Parts, t.Parts)
}

func (f *FamilySet[K]) equal(g *FamilySet[K]) bool {
	return f.Kind == g.Kind && f.First == g.First && slices.Equal(f.Ends, g.Ends)
}
