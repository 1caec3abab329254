package policy

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"

	"go4.org/netipx"

	"github.com/postern-io/postern/pkg/addr"
)

// manyTenants is a State of n tenants with an endpoint each and two prefixes, the
// size and the median of a large edge.
func manyTenants(b *testing.B, n int) *State {
	b.Helper()
	s := &State{}
	for i := range n {
		id := fmt.Sprintf("t%d", i)
		addTenant(s, id)
		s.Tenants.Get(id).Lists[AnyResource].Entries = []Entry{
			entryOf(b, fmt.Sprintf("%d.%d.%d.0/24", 1+i>>16, i>>8&255, i&255)),
			entryOf(b, fmt.Sprintf("2001:db8:%x::/48", i&0xffff)),
		}
	}
	return s
}

func entryOf(tb testing.TB, text string) Entry {
	tb.Helper()
	r, err := addr.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return Entry{Text: text, Range: r}
}

func BenchmarkCompileAfresh(b *testing.B) {
	s := manyTenants(b, 91_065)
	for b.Loop() {
		if _, err := Compile(s, Host{}, noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompileTenants is a cold start with the tenants of a gzipped file of
// lines "tenant<TAB>prefix", and what stays in memory of it.
func BenchmarkCompileTenants(b *testing.B) {
	s := readTenants(b)
	before := liveHeap()
	var table *Table
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if table, err = Compile(s, Host{}, noon); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(liveHeap()-before)/1e6, "MB-live")
	runtime.KeepAlive(table)
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func readTenants(b *testing.B) *State {
	b.Helper()
	path := os.Getenv("POSTERN_LISTS")
	if path == "" {
		b.Skip("POSTERN_LISTS names no gzipped file of tenant<TAB>prefix lines")
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	s := &State{}
	for lines := bufio.NewScanner(text); lines.Scan(); {
		id, prefix, _ := strings.Cut(lines.Text(), "\t")
		if s.Tenants.Get(id) == nil {
			addTenant(s, id)
		}
		l := s.Tenants.Get(id).Lists[AnyResource]
		l.Entries = append(l.Entries, entryOf(b, prefix))
	}
	return s
}

// addTenant adds a tenant with an endpoint on an address of its own.
func addTenant(s *State, id string) {
	at := addr4(100<<24 | uint32(len(s.Endpoints)))
	s.Tenants = s.Tenants.With(id, &Tenant{ID: id, Lists: map[string]*List{AnyResource: {}}})
	s.Endpoints = append(s.Endpoints, &Endpoint{
		Name: id, Resource: AnyResource, Tenants: []string{id},
		Destination: Destination{Prefix: netip.PrefixFrom(at, 32)}, Ports: []PortRange{{443, 443}},
	})
}

func BenchmarkCompileOneEdit(b *testing.B) {
	s := manyTenants(b, 91_065)
	all := *s
	all.Endpoints = []*Endpoint{{Name: "all", AllTenants: true, Resource: AnyResource, Ports: []PortRange{{443, 443}}}}
	b.Run("an-endpoint-each", func(b *testing.B) { editOne(b, s) })
	b.Run("one-endpoint", func(b *testing.B) { editOne(b, &all) })
}

func editOne(b *testing.B, s *State) {
	var c Compiler
	if _, err := c.Compile(s, Host{}, noon); err != nil {
		b.Fatal(err)
	}
	entries := []Entry{entryOf(b, "198.51.100.7"), entryOf(b, "198.51.100.8")}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		next, edited := *s, *s.Tenants.Get("t7")
		edited.Lists = map[string]*List{AnyResource: {Entries: entries[i%2 : i%2+1]}}
		next.Tenants = s.Tenants.With("t7", &edited)
		if _, err := c.Compile(&next, Host{}, noon); err != nil {
			b.Fatal(err)
		}
		s = &next
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{10, 900_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			l := &List{}
			for i := range n { // every other address, so that nothing merges
				a := addr4(uint32(1<<24 + 2*i))
				l.Entries = append(l.Entries, Entry{Text: a.String(), Range: netipx.IPRangeFrom(a, a)})
			}
			s := &State{Tenants: MapOf(map[string]*Tenant{"a": {ID: "a", Lists: map[string]*List{AnyResource: l}}})}
			ep := &Endpoint{Name: "e", Resource: "dataAccess", Tenants: []string{"a"}, Ports: []PortRange{{443, 443}}}
			s.Endpoints = []*Endpoint{ep}
			table, err := Compile(s, Host{}, noon)
			if err != nil {
				b.Fatal(err)
			}
			queries := make([]Query, 1<<12)
			for i := range queries {
				queries[i] = Query{Endpoint: ep, Tenant: "a", Addr: addr4(1<<24 + rng.Uint32N(uint32(2*n)))}
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				table.Decide(queries[i&(len(queries)-1)])
				i++
			}
		})
	}
}
