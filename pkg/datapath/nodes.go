package datapath

import (
	"math/bits"
	"sync/atomic"
)

// nodeBytes is the size of a node: a cache line.
const nodeBytes = 64

// maxNodes is how many a reference can tell apart.
const maxNodes = 1 << 24

// nodes is the memory of the range index. What is in it was never changed since
// a packet could read it: it is taken, written, published and, a grace period
// after it was replaced, given back.
type nodes struct {
	mem  []bpfNode // the kernel's
	next int       // from here on, none was ever taken
	free map[int][]uint32
	used atomic.Int64
}

// run is some nodes in a row.
type run struct {
	at uint32
	n  int
}

func newNodes(mem []bpfNode) *nodes { return &nodes{mem: mem, free: map[int][]uint32{}} }

// take is a run of n nodes, whatever is in them; not ok where there is no room.
func (ns *nodes) take(n int) (run, bool) {
	n = roundUp(n)
	if free := ns.free[n]; len(free) > 0 {
		ns.free[n] = free[:len(free)-1]
		ns.used.Add(int64(n))
		return run{free[len(free)-1], n}, true
	}
	if ns.next+n > len(ns.mem) {
		return run{}, false
	}
	ns.next += n
	ns.used.Add(int64(n))
	return run{uint32(ns.next - n), n}, true
}

// give takes runs back. They stay as long as they are: when there is no room
// left, the next generation packs all anew.
func (ns *nodes) give(runs []run) {
	for _, r := range runs {
		n := roundUp(r.n)
		ns.free[n] = append(ns.free[n], r.at)
		ns.used.Add(int64(-n))
	}
}

// appendRun appends the nodes of a tree; one without ends has none.
func (ns *nodes) appendRun(runs []run, r ref) []run {
	if r.nodes() == 0 {
		return runs
	}
	return append(runs, ns.run(r))
}

func (ns *nodes) at(r run) []bpfNode { return ns.mem[r.at : int(r.at)+r.n] }

// roundUp is n with no more than its three highest bits set, so that what is
// given back fits what is asked for next.
func roundUp(n int) int {
	step := 1 << max(bits.Len(uint(n))-3, 0)
	return (n + step - 1) / step * step
}
