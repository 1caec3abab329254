package datapath

import (
	"errors"
	"sync/atomic"

	"github.com/cilium/ebpf"
)

// generation is a program loaded for arrays of a certain size, and those arrays.
type generation struct {
	layout layout
	coll   *ebpf.Collection
	dir    string // where it is pinned; "": nowhere yet
	lists  *lists
	nodes  []bpfNode
	live   []uint64
	all    bank // both banks
	probe  prober
}

// bank is one revision as the program reads it: a memory of the kernel's.
type bank struct {
	heads     []bpfHead
	ports     []bpfPort // TCP's, then UDP's
	failsafes []bpfWords
	classes   []bpfClass
	records   []bpfRecords
	exact     []bpfPlace
	nodes     []bpfNode // of both banks
}

func (g *generation) programs() Programs {
	return Programs{Frags: g.coll.Programs[bpfProgPostern], Plain: g.coll.Programs[bpfProgPosternPlain]}
}

// open maps the arrays' memory.
func (g *generation) open() error {
	g.probe.program = g.coll.Programs[bpfProgPosternProbe]
	maps := g.coll.Maps
	return errors.Join(
		open(&g.live, maps[bpfMapLive]),
		open(&g.nodes, maps[bpfMapNodes]),
		open(&g.all.heads, maps[bpfMapHeads]),
		open(&g.all.ports, maps[bpfMapPorts]),
		open(&g.all.failsafes, maps[bpfMapFailsafes]),
		open(&g.all.classes, maps[bpfMapClasses]),
		open(&g.all.records, maps[bpfMapRecords]),
		open(&g.all.exact, maps[bpfMapExact]),
		open(&g.probe.questions, maps[bpfMapQuestions]),
	)
}

func open[T any](v *[]T, m *ebpf.Map) (err error) {
	*v, err = view[T](m)
	return err
}

func (g *generation) close() error {
	err := errors.Join(
		unview(g.live), unview(g.nodes), unview(g.all.heads), unview(g.all.ports), unview(g.all.failsafes), unview(g.all.classes),
		unview(g.all.records), unview(g.all.exact), unview(g.probe.questions),
	)
	g.coll.Close()
	return err
}

func (g *generation) liveBank() int { return int(atomic.LoadUint64(&g.live[0])) }

// idle is the bank that no packet reads, once the last flip's grace period is
// over.
func (g *generation) idle() bank { return g.bank(1 - g.liveBank()) }

// flip publishes the idle bank. The store is a release: whoever reads the new
// word reads what was written before it.
func (g *generation) flip() { atomic.StoreUint64(&g.live[0], uint64(1-g.liveBank())) }

func (g *generation) bank(i int) bank {
	return bank{
		heads:     half(g.all.heads, i),
		ports:     half(g.all.ports, i),
		failsafes: half(g.all.failsafes, i),
		classes:   half(g.all.classes, i),
		records:   half(g.all.records, i),
		exact:     half(g.all.exact, i),
		nodes:     g.nodes,
	}
}
