package datapath

import (
	"iter"
	"math/bits"
	"slices"
)

// A list of more than rootFrom ends has a root: measured, that is where one load
// from a table beats the upper levels of a tree.
const (
	rootFrom     = 1024
	endsPerSlot  = 12
	minRootBits  = 4 // a node of slots
	slotsPerNode = 16
	maxRootBits  = 18
	baseBits     = 12
)

// root is a table over a part of the address space, in slots of equal size, each
// with a tree of its own: index.h has it as a word.
type root struct {
	at    uint32
	first bool
	base  uint64
	shift int
	bits  int
}

// rootFor is a root for the ends of a list, not yet anywhere. No slot is smaller
// than a place that ends can have.
func rootFor[K end](f form[K], first bool, ends []K) root {
	from, to := f.left(ends[0]), f.left(ends[len(ends)-1])
	base := from &^ (1<<(64-baseBits) - 1)
	shift := max(bits.Len64(to-base)-rootBits(len(ends)), f.minShift())
	return root{first: first, base: base, shift: shift, bits: max(bits.Len64((to-base)>>shift), minRootBits)}
}

// rootBits is the size of a root for so many ends.
func rootBits(ends int) int {
	return min(max(bits.Len(uint(ends/endsPerSlot)), minRootBits), maxRootBits)
}

// suits reports whether so many ends between two places can have a root that was
// made for others.
func (r root) suits(n int, from, to uint64) bool {
	per := n / r.slots()
	return r.reaches(from) && r.reaches(to) && per >= endsPerSlot/4 && per <= endsPerSlot*4
}

func (r root) slots() int { return 1 << r.bits }
func (r root) run() run   { return run{r.at, r.slots() / slotsPerNode} }

// slot is where a place that is not before the base belongs.
func (r root) slot(left uint64) int {
	return int(min((left-r.base)>>r.shift, uint64(r.slots()-1)))
}

func (r root) start(slot int) uint64 { return r.base + uint64(slot)<<r.shift }

// has is false for the slots that lie behind the end of the address space.
func (r root) has(slot int) bool { return r.start(slot) >= r.base }

// reaches reports whether a place has a slot of its own, and is not before the
// root or crowded into the last slot.
func (r root) reaches(left uint64) bool {
	return left >= r.base && (left-r.base)>>r.shift < uint64(r.slots())
}

func (r root) word() uint64 {
	w := uint64(r.at)<<32 | r.base>>32 | uint64(r.bits)<<15 | uint64(r.shift)<<9 | uint64(bpfKindROOT)
	if r.first {
		w |= 1 << 8
	}
	return w
}

func rootOf(word uint64) root {
	return root{
		at:    uint32(word >> 32),
		first: word>>8&1 == 1,
		base:  word & 0xfff00000 << 32,
		shift: int(word >> 9 & 63),
		bits:  int(word >> 15 & 31),
	}
}

// slotIn is slot i's reference in the root's nodes.
func slotIn(table []bpfNode, i int) *uint32 { return &table[i/slotsPerNode].End4[i%slotsPerNode] }

// segment is the ends in one slot, and the answer before them.
type segment[K end] struct {
	first bool
	ends  []K
}

// within is the segment without an end that is the slot's last address: it turns
// nothing there.
func (s segment[K]) within(f form[K], r root, slot int) segment[K] {
	if n := len(s.ends); n > 0 && r.slot(f.left(f.next(s.ends[n-1]))) != slot {
		s.ends = s.ends[:n-1]
	}
	return s
}

func (s segment[K]) equal(t segment[K]) bool {
	return s.first == t.first && slices.Equal(s.ends, t.ends)
}

// segments cuts a list by a root.
type segments[K end] struct {
	form  form[K]
	root  root
	first bool
	ends  []K // from the next slot on
}

// next is the segment of a slot, one more than the last time.
func (s *segments[K]) next(slot int) segment[K] {
	n := 0
	for n < len(s.ends) && s.root.slot(s.form.left(s.ends[n])) == slot {
		n++
	}
	seg := segment[K]{s.first, s.ends[:n]}
	s.ends = s.ends[n:]
	s.first = s.first != (n%2 == 1)
	return seg.within(s.form, s.root, slot)
}

func (s segments[K]) all() iter.Seq2[int, segment[K]] {
	return func(yield func(int, segment[K]) bool) {
		left := s
		for i := range s.root.slots() {
			if !yield(i, left.next(i)) {
				return
			}
		}
	}
}

// differing are the segments of is that was does not have.
func differing[K end](was, is segments[K]) iter.Seq2[int, segment[K]] {
	return func(yield func(int, segment[K]) bool) {
		left := was
		for i, seg := range is.all() {
			if !left.next(i).equal(seg) && !yield(i, seg) {
				return
			}
		}
	}
}
