package main

import (
	"time"

	"github.com/cilium/ebpf"

	"github.com/postern-io/postern/pkg/policy"
)

// What a packet finds in the caches. Each has a table of its own.
const (
	uniform = ""      // every packet another source and destination, of all there are
	warm    = "-warm" // every packet the same
	cold    = "-cold" // as uniform, and the caches are swept between the packets
)

// target is a program that is timed.
type target struct {
	name string
	prog *ebpf.Program
}

// timing times the program for a subject: by the index, by the trie, and, beside
// them, the law in Go.
type timing struct {
	*bench
	subject
	table   *policy.Table
	targets []target // the first is a bare drop
	stream  *stream
	plain   []*driver // one for each target
	sweeps  []*driver // the same, and they sweep the caches
}

func (b *bench) programTime(sub subject) {
	b.progress("program time: %s %s", sub.section, sub.row)
	b.act(func(b *bench) {
		t := &timing{bench: b, subject: sub, table: b.compile(sub.state)}
		t.targets = []target{{bareDrop, newVerdict(b.Stage, xdpDrop)}}
		for _, by := range []lookup{byIndex, byTrie} {
			d := b.newPostern(by)
			b.Check(d.Apply(b.Context(), t.table.Plan))
			t.targets = append(t.targets, target{string(by), d.Program().Plain})
		}
		t.stream = newStream(b.Stage, segment(sub.listed[0]))
		sweep := newSweep(b.Stage, b.Machine.L3)
		for _, target := range t.targets {
			t.plain = append(t.plain, newDriver(b.Stage, t.stream, target.prog, nil))
			t.sweeps = append(t.sweeps, newDriver(b.Stage, t.stream, target.prog, sweep))
		}
		b.Check(pinned(cpu(), t.all))
	})
}

func (t *timing) all() {
	for _, side := range []struct {
		name  string
		flows []flow
		want  uint32
	}{{"listed", t.listed, xdpPass}, {"not listed", t.unlisted, xdpDrop}} {
		t.stream.fill(side.flows)
		t.programs(uniform, side.name, t.plain, side.want)
		t.programs(cold, side.name, t.sweeps, side.want)
		t.stream.fill(side.flows[:1])
		t.programs(warm, side.name, t.plain, side.want)
		t.law(side.name, side.flows)
	}
}

// programs times the targets for packets that all have one verdict.
func (t *timing) programs(heat, side string, drivers []*driver, want uint32) {
	values := interleaved(t.Stage, t.rounds, len(drivers), func(i int) float64 {
		ns, verdict := drivers[i].run(t.Stage, t.packets)
		if i > 0 && verdict != want {
			t.Fatalf("%s %s, %s: a packet of who is %s got verdict %d", t.section, t.row, t.targets[i].name, side, verdict)
		}
		return ns
	})
	t.add(t.section+heat, t.row, t.at, "bare drop, "+side, newSample(values[0]))
	for i := 1; i < len(drivers); i++ {
		t.add(t.section+heat, t.row, t.at, t.targets[i].name+", "+side, against(values[i], values[0], difference))
	}
}

// law times Decide for the same packets.
func (t *timing) law(side string, flows []flow) {
	flows = flows[:headers/4]
	values := interleaved(t.Stage, t.rounds, 1, func(int) float64 {
		start := time.Now()
		for _, f := range flows {
			t.table.Decide(policy.Query{Endpoint: f.to, Tenant: f.to.Tenants[0], Addr: f.src})
		}
		return float64(time.Since(start).Nanoseconds()) / float64(len(flows))
	})
	t.add(t.section, t.row, t.at, "Decide, "+side, newSample(values[0]))
}
