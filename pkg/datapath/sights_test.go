package datapath

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	te "github.com/postern-io/postern/pkg/testenv"
)

// sightings are the sights of a datapath until the test ends.
type sightings struct {
	mu  sync.Mutex
	all []string // "source endpoint"
}

func watchSights(t *testing.T, d *Datapath) *sightings {
	t.Helper()
	s := &sightings{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Sights(ctx, s.add) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("sights: %v", err)
		}
	})
	return s
}

func (s *sightings) add(seen Sight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, seen.Source.String()+" "+seen.Endpoint)
}

func (s *sightings) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

// acknowledging makes a TCP packet one of a connection that is open.
func acknowledging(frame []byte) []byte {
	const flags, ack = 14 + 20 + 13, 0x10
	frame = slices.Clone(frame)
	frame[flags] = ack
	return frame
}

func TestSights(t *testing.T) {
	d := newDatapath(t)
	enforce(t, d, compile(t, rowState(), rowHost))
	seen := watchSights(t, d)
	for _, frame := range [][]byte{
		from4(alien4, web4, tcp(443)),                                  // refused
		from4(alien4, watched4, tcp(443)),                              // refused, but for monitor
		from4(listed4, web4, tcp(9)),                                   // to no endpoint
		from4(safe4, web4, tcp(443)),                                   // whatever the lists say
		frame(te.IPv4{Src: listed4, Dst: web4, Offset: 1480}, data(6)), // to one endpoint or another
		from4(alien4, asleep4, tcp(443)),
		from4(listed4, web4, tcp(443)),
		from6(listed6, web6, udp(53)),
	} {
		judge(t, d, d.Program().Plain, frame)
	}
	want := []string{"203.0.113.7 asleep4", "198.51.100.7 web4", "2001:db8:1::7 dns6"}
	te.Eventually(t, 5*time.Second, func() error {
		if diff := cmp.Diff(want, seen.list()); diff != "" {
			return fmt.Errorf("sights (-want +got):\n%s", diff)
		}
		return nil
	})
}

// Who opens a connection is seen while a busier source floods the endpoint, and
// of the flood only a little is.
func TestSightsInAFlood(t *testing.T) {
	d := newDatapath(t)
	enforce(t, d, compile(t, rowState(), rowHost))
	seen := watchSights(t, d)
	flood := acknowledging(from4(listed4, web4, tcp(443)))
	start := time.Now()
	newcomer := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(10 + i)}) }
	const burst, rounds = 200_000, 10
	for i := range rounds {
		if _, _, err := d.Program().Plain.Benchmark(flood, burst, nil); err != nil {
			t.Fatal(err)
		}
		judge(t, d, d.Program().Plain, from4(newcomer(i), web4, tcp(443)))
	}
	took := time.Since(start)
	te.Eventually(t, 5*time.Second, func() error {
		all := seen.list()
		for i := range rounds {
			if !slices.Contains(all, newcomer(i).String()+" web4") {
				return fmt.Errorf("%v opened a connection and was not seen among %d", newcomer(i), len(all))
			}
		}
		return nil
	})
	const fastest = 1000 // jiffies a second, of any kernel
	if n, most := len(seen.list()), int(took.Seconds()*fastest)+rounds+2; n > most {
		t.Errorf("%d sights in %v, want at most %d", n, took, most)
	}
}

// Sights have a limit of their own, and refusals theirs.
func TestSightsTakeNothingFromEvents(t *testing.T) {
	d := newDatapath(t)
	enforce(t, d, compile(t, rowState(), rowHost))
	events := listen(t, d) // and nobody reads sights
	opening := from4(listed4, web4, tcp(443))
	if _, _, err := d.Program().Plain.Benchmark(opening, 200_000, nil); err != nil {
		t.Fatal(err)
	}
	if lost := counters(t, d).EventsLost; lost != 0 {
		t.Errorf("%d refusals not told of, and there was none", lost)
	}
	judge(t, d, d.Program().Plain, from4(alien4, web4, tcp(443)))
	if e := next(t, events); e.Source.Addr() != alien4 || e.Suppressed != 0 {
		t.Errorf("told of %v, %d suppressed", e.Source, e.Suppressed)
	}
}
