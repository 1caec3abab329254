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
	lines4    []bpfLine4
	lines6    []bpfLine6
	records   []bpfRecord
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
		open(&g.all.lines4, maps[bpfMapLines4]),
		open(&g.all.lines6, maps[bpfMapLines6]),
		open(&g.all.records, maps[bpfMapRecords]),
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
		unview(g.all.lines4), unview(g.all.lines6), unview(g.all.records), unview(g.probe.questions),
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
		lines4:    half(g.all.lines4, i),
		lines6:    half(g.all.lines6, i),
		records:   half(g.all.records, i),
	}
}

// catchUp gives the idle bank what a revision writes only where it differs, so
// that the next one finds there what the live bank has.
func (g *generation) catchUp() {
	idle, live := g.idle(), g.bank(g.liveBank())
	copy(idle.records, live.records)
	copy(idle.classes, live.classes)
	copy(idle.lines4, live.lines4)
	copy(idle.lines6, live.lines6)
}
