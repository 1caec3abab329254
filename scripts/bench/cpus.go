package main

import (
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/cilium/ebpf"
)

// cpus shows that CPUs share nothing: packets of every tenant are judged on one
// CPU, and then on all at once. Each has a driver of its own.
func (b *bench) cpus() {
	n := runtime.NumCPU()
	b.progress("program time: on 1 and on %d CPUs", n)
	b.act(func(b *bench) {
		ts := b.lists.byASN(b.Stage)
		sub := b.manyTenants(rand.New(rand.NewPCG(10, 10)), len(ts), ts)
		d := b.newPostern(byIndex)
		b.Check(d.Apply(b.Context(), b.compile(sub.state).Plan))
		st := newStream(b.Stage, segment(sub.unlisted[0]))
		st.fill(sub.unlisted)
		for _, t := range []target{{"bare drop", newVerdict(b.Stage, xdpDrop)}, {"Postern", d.Program().Plain}} {
			b.addScaling(t.name, st, t.prog, n)
		}
	})
}

func (b *bench) addScaling(name string, st *stream, prog *ebpf.Program, n int) {
	drivers := make([]*driver, n)
	for i := range drivers {
		drivers[i] = newDriver(b.Stage, st, prog, nil)
	}
	var one, all, gain []float64
	for range b.rounds {
		b.Check(nil)
		alone, together := b.inParallel(drivers[:1]), b.inParallel(drivers)
		one, all, gain = append(one, alone), append(all, together), append(gain, together/alone)
	}
	b.add("cpus", name, 0, "1 CPU, Mpps", newSample(one))
	b.add("cpus", name, 0, "all CPUs, Mpps", newSample(all))
	b.add("cpus", name, 0, "times", newSample(gain))
}

// inParallel runs drivers, the n-th on the n-th CPU from the end, and returns
// the rate of all together.
func (b *bench) inParallel(drivers []*driver) (mpps float64) {
	rates, errs := make([]float64, len(drivers)), make([]error, len(drivers))
	var running sync.WaitGroup
	for i, d := range drivers {
		running.Go(func() {
			errs[i] = pinned(cpu()-i, func() {
				_, took, err := d.prog.Benchmark(d.frame, b.packets, nil)
				rates[i], errs[i] = 1e3/float64(took.Nanoseconds()), err
			})
		})
	}
	running.Wait()
	for i := range drivers {
		b.Check(errs[i])
		mpps += rates[i]
	}
	return mpps
}
