package seen

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// came is a visit as the model keeps it, the latest last.
type came struct {
	endpoint string
	Source
}

// model does what Seen does, by searching.
type model struct {
	each, total int
	visits      []came
}

func (m *model) add(c came) {
	same := func(o came) bool { return o.endpoint == c.endpoint && o.Addr == c.Addr }
	if i := slices.IndexFunc(m.visits, same); i >= 0 {
		m.visits = slices.Delete(m.visits, i, i+1)
	} else if len(m.of(c.endpoint)) == m.each {
		m.forget(c.endpoint)
	} else if len(m.visits) >= m.total {
		m.forget(m.stale(c.endpoint))
	}
	m.visits = append(m.visits, c)
}

func (m *model) of(endpoint string) []Source {
	var sources []Source
	for _, c := range m.visits {
		if c.endpoint == endpoint {
			sources = append(sources, c.Source)
		}
	}
	slices.Reverse(sources)
	return sources
}

func (m *model) forget(endpoint string) {
	i := slices.IndexFunc(m.visits, func(c came) bool { return c.endpoint == endpoint })
	m.visits = slices.Delete(m.visits, i, i+1)
}

// stale is the endpoint whose latest visit is the earliest, not that which
// somebody just comes to.
func (m *model) stale(now string) string {
	var latest []string // each endpoint once, the latest visited first
	for _, c := range slices.Backward(m.visits) {
		if c.endpoint != now && !slices.Contains(latest, c.endpoint) {
			latest = append(latest, c.endpoint)
		}
	}
	if len(latest) == 0 {
		return now
	}
	return latest[len(latest)-1]
}

func TestSeenIsTheModel(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	rapid.Check(t, func(rt *rapid.T) {
		each, total := rapid.IntRange(1, 5).Draw(rt, "each"), rapid.IntRange(1, 10).Draw(rt, "total")
		s, m := New(Config{Each: each, Total: total}), &model{each: each, total: total}
		for i := range rapid.IntRange(1, 60).Draw(rt, "visits") {
			c := came{rapid.SampledFrom(names).Draw(rt, "endpoint"), Source{
				addr(rapid.Uint32Range(0, 7).Draw(rt, "source")), noon.Add(time.Duration(i) * time.Second),
				rapid.SampledFrom([]Verdict{Allow, Deny, WouldDeny}).Draw(rt, "verdict"),
			}}
			s.Add(c.endpoint, c.Addr, c.Verdict, c.Last)
			m.add(c)
			for _, name := range names {
				got, want := s.Sources(name), m.of(name)
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
					rt.Fatalf("after %d visits, sources of %s (-want +got):\n%s", i+1, name, diff)
				}
			}
			if len(s.visits)-1 > total {
				rt.Fatalf("%d visits take %d places", total, len(s.visits)-1)
			}
		}
	})
}

func addr(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 10<<24|n)
	return netip.AddrFrom4(b)
}

// Families are kept apart: a mapped address is not the one it maps.
func TestFamilies(t *testing.T) {
	s := New(Config{})
	s.Add("web", netip.MustParseAddr("10.0.0.1"), Allow, noon)
	s.Add("web", netip.MustParseAddr("::ffff:10.0.0.1"), Deny, noon)
	if got := s.Sources("web"); len(got) != 2 || got[0].Verdict != Deny || got[1].Verdict != Allow {
		t.Errorf("sources: %v", got)
	}
	if got := s.Sources("ssh"); got != nil {
		t.Errorf("nobody came there, but %v", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	s := New(Config{Each: 50, Total: 200})
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 2_000 {
				s.Add(strconv.Itoa((g+i)%10), addr(uint32(i*g)), Allow, noon)
				if n := len(s.Sources(strconv.Itoa(i % 10))); n > 50 {
					t.Errorf("an endpoint has %d sources", n)
				}
			}
		})
	}
	all.Wait()
	n := 0
	for i := range 10 {
		n += len(s.Sources(strconv.Itoa(i)))
	}
	if n != 200 {
		t.Errorf("%d sources in all, want 200", n)
	}
}

// BenchmarkAdd is a source that is new at a full endpoint, at full size, and one
// that came before.
func BenchmarkAdd(b *testing.B) {
	const endpoints, total = 100, 1 << 18
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := New(Config{})
	names := make([]string, endpoints)
	for i := range names {
		names[i] = "endpoint-" + strconv.Itoa(i)
	}
	for i := range total {
		s.Add(names[i%endpoints], addr(uint32(i)), Allow, noon)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	size := float64(after.HeapAlloc-before.HeapAlloc) / total
	n := total
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Add(names[n%endpoints], addr(uint32(n)), Allow, noon)
			n++
		}
		b.ReportMetric(size, "bytes/source")
	})
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			back := n - 1 - i%100_000
			s.Add(names[back%endpoints], addr(uint32(back)), Allow, noon)
		}
	})
}
