package datapath

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"github.com/postern-io/postern/pkg/policy"
)

// end is the last address of an interval, as policy.FamilySet has it.
type end interface{ uint32 | policy.U128 }

// form is what the index has to know about a family's ends.
type form[K end] interface {
	// left is where an end stands in the address space, on the left of 64 bits.
	left(K) uint64
	compare(a, b K) int
	next(K) K
	words(K) [2]uint64
	addr(K) netip.Addr
	family() int
	// per is how many of these ends fit a node, and whether they are wide.
	per([]K) (n int, wide bool)
	// put writes an end into a place of a node; null is a place that stays free.
	put(n *bpfNode, place int, e K, wide bool)
	null() K
	// minShift is what a root cannot go below: a slot smaller than an address.
	minShift() int
	// at is the first address of a place.
	at(left uint64) K
	// middle is the first address of a prefix's upper half.
	middle(start K, bits int) K
}

type form4 struct{}

func (form4) left(e uint32) uint64                 { return uint64(e) << 32 }
func (form4) next(e uint32) uint32                 { return e + 1 }
func (form4) null() uint32                         { return ^uint32(0) }
func (form4) family() int                          { return v4 }
func (form4) addr(e uint32) netip.Addr             { return addrOf(form4{}.words(e), v4) }
func (form4) middle(start uint32, bits int) uint32 { return start | 1<<(31-bits) }
func (form4) minShift() int                        { return 32 }
func (form4) at(left uint64) uint32                { return uint32(left >> 32) }

func (form4) compare(a, b uint32) int {
	return int(int64(a) - int64(b)) // both fit
}

func (form4) words(e uint32) [2]uint64 {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], e)
	return [2]uint64{uint64(binary.LittleEndian.Uint32(b[:]))}
}

func (form4) per([]uint32) (int, bool) { return 16, false }

func (form4) put(n *bpfNode, place int, e uint32, _ bool) { n.End4[place] = e }

type form6 struct{}

func (form6) left(e policy.U128) uint64      { return e.Hi }
func (form6) compare(a, b policy.U128) int   { return a.Compare(b) }
func (form6) null() policy.U128              { return policy.U128{Hi: ^uint64(0), Lo: ^uint64(0)} }
func (form6) next(e policy.U128) policy.U128 { n, _ := e.Next(); return n }
func (form6) words(e policy.U128) [2]uint64  { return words(e.Addr()) }
func (form6) family() int                    { return v6 }
func (form6) addr(e policy.U128) netip.Addr  { return e.Addr() }
func (form6) minShift() int                  { return 0 }
func (form6) at(left uint64) policy.U128     { return policy.U128{Hi: left} }
func (form6) view(n *bpfNode) *[8]uint64     { return (*[8]uint64)(unsafe.Pointer(n)) }

func (form6) middle(start policy.U128, bits int) policy.U128 {
	if bits < 64 {
		start.Hi |= 1 << (63 - bits)
	} else {
		start.Lo |= 1 << (127 - bits)
	}
	return start
}

// per is eight where the upper halves tell the ends apart.
func (form6) per(ends []policy.U128) (int, bool) {
	for _, e := range ends {
		if e.Lo != ^uint64(0) {
			return 4, true
		}
	}
	return 8, false
}

func (f form6) put(n *bpfNode, place int, e policy.U128, wide bool) {
	f.view(n)[place] = e.Hi
	if wide {
		f.view(n)[4+place] = e.Lo
	}
}

// refMany stands for the number of nodes where six bits do not hold it: then a
// node before the first does.
const refMany = 63

// ref is a tree as index.h has it.
type ref uint32

func (r ref) nodes() int   { return int(r >> 2 & refMany) }
func (r ref) node() uint32 { return uint32(r >> 8) }

func newRef(first, wide bool, nodes int, at uint32) ref {
	r := ref(at)<<8 | ref(nodes)<<2
	if wide {
		r |= 2
	}
	if first {
		r |= 1
	}
	return r
}

func (r ref) word() uint64 {
	kind := bpfKindTREE
	if r.nodes() == 1 && r&2 == 0 {
		kind = bpfKindLINE
	}
	return uint64(r)<<32 | uint64(kind)
}

// run is the nodes of a tree; none of a tree without ends.
func (ns *nodes) run(r ref) run {
	n := r.nodes()
	if n == refMany {
		n = 1 + int(ns.mem[r.node()].End4[0])
	}
	return run{r.node(), n}
}

// treeNodes is how many nodes a list takes as a tree.
func treeNodes[K end](f form[K], ends []K) int {
	per, _ := f.per(ends)
	n := (len(ends) + per - 1) / per
	if n >= refMany {
		n++
	}
	return n
}

// pack writes ends as a tree; not ok where there is no room.
func pack[K end](ns *nodes, f form[K], first bool, ends []K) (ref, bool) {
	if len(ends) == 0 {
		return newRef(first, false, 0, 0), true
	}
	per, wide := f.per(ends)
	n := (len(ends) + per - 1) / per
	if n > maxNodes/(per+1) {
		return 0, false // a child could have a number that the program cuts off
	}
	taken, ok := ns.take(treeNodes(f, ends))
	if !ok {
		return 0, false
	}
	tree := ns.at(taken)
	if n >= refMany {
		tree[0].End4[0] = uint32(n)
		tree = tree[1:]
	}
	i := 0
	inOrder(n, per, 0, func(node, place int) {
		e := f.null()
		if i < len(ends) {
			e = ends[i]
		}
		f.put(&tree[node], place, e, wide)
		i++
	})
	return newRef(first, wide, min(n, refMany), taken.at), true
}

// inOrder visits the places of a search tree from the least to the greatest.
func inOrder(nodes, per, node int, visit func(node, place int)) {
	if node >= nodes {
		return
	}
	for place := range per {
		inOrder(nodes, per, node*(per+1)+place+1, visit)
		visit(node, place)
	}
	inOrder(nodes, per, node*(per+1)+per+1, visit)
}
