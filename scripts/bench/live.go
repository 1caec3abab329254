package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// client is who is on every list that is measured with frames.
var client = netip.MustParseAddr("203.0.113.77")

// guarded is the endpoint that the frames are for.
func guarded() *policy.Endpoint {
	ep := endpoint("e", netip.MustParseAddr("203.0.113.10"), "t")
	ep.Protocol = policy.UDP
	return ep
}

// lane is a filter on a wire of its own.
type lane struct {
	filter
	*wire
}

// live floods every filter with real frames from addresses that are not on the
// list and counts how fast it gets rid of them. Sender and receiver share a CPU:
// the time of a frame is all the work there is to it.
func (b *bench) live() {
	rng := rand.New(rand.NewPCG(7, 7))
	aws := b.lists.cloud(b.Stage, "aws-v4")
	lists := [][]netip.Prefix{every(aws, len(aws)/100)[:100], aws, b.lists.asn(b.Stage)}
	if !b.Quick {
		lists = append(lists, scattered(rng, most))
	}
	for _, list := range lists {
		b.flood(rng, list)
	}
}

// every is each n-th of prefixes.
func every(prefixes []netip.Prefix, n int) []netip.Prefix {
	var some []netip.Prefix
	for i := 0; i < len(prefixes); i += n {
		some = append(some, prefixes[i])
	}
	return some
}

// withClient is list with the client in place of its last prefix.
func withClient(list []netip.Prefix) []netip.Prefix {
	n := len(list) - 1
	return append(list[:n:n], netip.PrefixFrom(client, client.BitLen()))
}

func (b *bench) flood(rng *rand.Rand, list []netip.Prefix) {
	row := thousands(len(list))
	list = withClient(list)
	b.act(func(b *bench) {
		flows := b.strangers(rng, list)
		st := newStream(b.Stage, datagram(flows[0]))
		st.fill(flows)
		var lanes []lane
		for _, f := range filters {
			b.progress("live frames: %s prefixes into %s", row, f.name)
			l := lane{f, newWire(b.Stage, guarded(), st, 0)}
			if err := f.put(b, l.wire, list); err != nil {
				b.note(fmt.Sprintf("%s is absent at %s prefixes: %v", f.name, row, err))
				continue
			}
			b.Check(l.holds())
			lanes = append(lanes, l)
		}
		b.progress("live frames: %s prefixes, %d rounds", row, b.liveRounds)
		values := interleaved(b.Stage, b.liveRounds, len(lanes), func(i int) float64 { return lanes[i].rate(b.frames) })
		b.addRates(row, float64(len(list)), lanes, values)
	})
}

// addRates notes every filter's rate, its share of the bare drop's and Postern's
// multiple of it.
func (b *bench) addRates(row string, at float64, lanes []lane, values [][]float64) {
	bare, ours := 0, 1
	for i, l := range lanes {
		b.add("live", row, at, l.name, newSample(values[i]))
		b.add("live-ns", row, at, l.name, newSample(values[i]).inverse(1e3))
		if i != bare {
			b.add("live-share", row, at, l.name, against(values[i], values[bare], ratio))
		}
		if i != bare && i != ours {
			b.add("live-over", row, at, l.name, against(values[ours], values[i], ratio))
		}
	}
}

// strangers are flows from addresses that are not on the list.
func (b *bench) strangers(rng *rand.Rand, list []netip.Prefix) []flow {
	set, to := setOf(b.Stage, list), guarded()
	flows := make([]flow, headers)
	for i := range flows {
		flows[i] = flow{outside(rng, set, false), to}
	}
	return flows
}

// holds checks that the filter passes who is on the list and drops who is not.
func (l *lane) holds() error {
	if l.name == bareDrop {
		return nil
	}
	out, before := l.world.Socket(l), l.passed()
	l.sendOne(out, flow{netip.MustParseAddr("192.0.2.1"), l.endpoint})
	l.sendOne(out, flow{client, l.endpoint})
	testenv.Eventually(l, 5*time.Second, func() error {
		if l.passed() == before {
			return fmt.Errorf("%s passes nobody", l.name)
		}
		return nil
	})
	if l.passed() != before+1 {
		return fmt.Errorf("%s passes whoever comes", l.name)
	}
	return nil
}

// rate is how many million frames a second a filter drops. The time is taken
// from the first tenth of them to the last: setting a run up and taking it down
// waits for grace periods.
func (l *lane) rate(frames int) float64 {
	before, passed := l.arrived(), l.passed()
	ended := make(chan error, 1)
	go func() {
		var err error
		pin := pinned(cpu(), func() { _, err = l.send(frames) })
		ended <- errors.Join(pin, err)
	}()
	first, start := l.await(before + frames/10)
	last, end := l.await(before + frames/10*9)
	l.Check(<-ended)
	if l.passed() != passed {
		l.Fatalf("%s lets strangers through", l.name)
	}
	return float64(last-first) / end.Sub(start).Seconds() / 1e6
}

// await waits until so many frames have arrived, and returns how many and when.
func (w *wire) await(n int) (arrived int, at time.Time) {
	for tick := time.NewTicker(500 * time.Microsecond); ; <-tick.C {
		w.Check(nil)
		if arrived, at = w.arrived(), time.Now(); arrived >= n {
			return arrived, at
		}
	}
}
