package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"go4.org/netipx"

	"github.com/postern-io/postern/pkg/addr"
)

// manyTenants is a State of n tenants with an endpoint each and two prefixes, the
// size and the median of a large edge.
func manyTenants(b *testing.B, n int) *State {
	b.Helper()
	s := &State{Tenants: make(map[string]*Tenant, n)}
	for i := range n {
		id := fmt.Sprintf("t%d", i)
		s.Tenants[id] = &Tenant{ID: id, Lists: map[string]*List{AnyResource: {Entries: []Entry{
			entryOf(b, fmt.Sprintf("%d.%d.%d.0/24", 1+i>>16, i>>8&255, i&255)),
			entryOf(b, fmt.Sprintf("2001:db8:%x::/48", i&0xffff)),
		}}}}
		at := netip.AddrFrom4([4]byte{100, byte(64 + i>>16), byte(i >> 8), byte(i)})
		s.Endpoints = append(s.Endpoints, &Endpoint{
			Name: id, Resource: AnyResource, Tenants: []string{id},
			Destination: Destination{Prefix: netip.PrefixFrom(at, 32)}, Ports: []PortRange{{443, 443}},
		})
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

func BenchmarkCompileOneEdit(b *testing.B) {
	s := manyTenants(b, 91_065)
	var c Compiler
	if _, err := c.Compile(s, Host{}, noon); err != nil {
		b.Fatal(err)
	}
	entry := entryOf(b, "198.51.100.7")
	for b.Loop() {
		edited := *s.Tenants["t7"]
		edited.Lists = map[string]*List{AnyResource: {Entries: []Entry{entry}}}
		s.Tenants["t7"] = &edited
		next := *s
		if _, err := c.Compile(&next, Host{}, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{10, 900_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			l := &List{}
			for i := range n { // every other address, so that nothing merges
				a := u128{lo: uint64(1<<24 + 2*i)}.addr(true)
				l.Entries = append(l.Entries, Entry{Text: a.String(), Range: netipx.IPRangeFrom(a, a)})
			}
			s := &State{Tenants: map[string]*Tenant{"a": {ID: "a", Lists: map[string]*List{AnyResource: l}}}}
			ep := &Endpoint{Name: "e", Resource: "dataAccess", Tenants: []string{"a"}, Ports: []PortRange{{443, 443}}}
			s.Endpoints = []*Endpoint{ep}
			table, err := Compile(s, Host{}, noon)
			if err != nil {
				b.Fatal(err)
			}
			queries := make([]Query, 1<<12)
			for i := range queries {
				queries[i] = Query{Endpoint: ep, Tenant: "a", Addr: u128{lo: 1<<24 + rng.Uint64N(uint64(2*n))}.addr(true)}
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
