package datapath

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/postern-io/postern/pkg/policy"
)

func TestWordsRoundTrip(t *testing.T) {
	for _, text := range []string{"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "2001:db8::1:2", "::ffff:192.0.2.1"} {
		a := netip.MustParseAddr(text)
		if got := addrOf(words(a), familyOf(a)); got != a {
			t.Errorf("%v comes back as %v", a, got)
		}
	}
}

// draw is n addresses of a family, by chance, that a test is true of.
func draw(r *rand.Rand, family, n int, of func(netip.Addr) bool) []netip.Addr {
	seen := map[netip.Addr]bool{}
	for len(seen) < n {
		a := policy.U128{Hi: 0x2001_0db8<<32 | uint64(r.Uint32()), Lo: r.Uint64()}.Addr()
		if family == v4 {
			a = form4{}.addr(r.Uint32()&0x00ffffff | 100<<24)
		}
		if of(a) {
			seen[a] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), netip.Addr.Compare)
}

func anyAddr(netip.Addr) bool { return true }

// destsTo gives each address a record of its own, from first on.
func destsTo(addrs []netip.Addr, first int) []policy.Dest {
	dests := make([]policy.Dest, len(addrs))
	for i, a := range addrs {
		dests[i] = policy.Dest{Prefix: netip.PrefixFrom(a, a.BitLen()), Record: first + i}
	}
	return dests
}

// Every destination has a place or is in the trie, and few are in the trie.
func TestLayOutLosesNothing(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, probes, probes + 1, 100, 5000, 50_000} {
		r := rand.New(rand.NewPCG(uint64(n), 0))
		addrs := append(draw(r, v4, n, anyAddr), draw(r, v6, n, anyAddr)...)
		if n > 0 {
			addrs[0], addrs[n] = ip("0.0.0.0"), ip("::") // what a free place holds
		}
		dests := destsTo(addrs, 1)
		l := layOut([]policy.Class{{}, {Dests: dests}})
		exact := l.written()
		for _, d := range dests {
			if got := l.find(exact, 1, d.Prefix.Addr()); got != uint32(d.Record) {
				t.Fatalf("of %d: %v has record %d, want %d", n, d.Prefix, got, d.Record)
			}
		}
		for _, a := range append(draw(r, v4, 100, anyAddr), draw(r, v6, 100, anyAddr)...) {
			if got := l.find(exact, 1, a); got != 0 && addrs[got-1] != a {
				t.Fatalf("of %d: %v has record %d, which is for %v", n, a, got, addrs[got-1])
			}
		}
		on := l.classes[1]
		if spilled := len(on.prefixes[v4]) + len(on.prefixes[v6]); spilled > n/1000 {
			t.Errorf("of %d destinations %d found no place", 2*n, spilled)
		}
	}
}

// crowd is more addresses with one home than have a place.
func crowd(r *rand.Rand, family int) []netip.Addr {
	const n = probes + 8
	return draw(r, family, n, func(a netip.Addr) bool { return home(words(a), 3*n/2) == 7 })
}

func TestCrowdedPlacesSpill(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for family := range families {
		dests := destsTo(crowd(r, family), 1)
		l := layOut([]policy.Class{{}, {Dests: dests}})
		if got := len(l.classes[1].prefixes[family]); got != 8 || len(l.exact) != probes {
			t.Errorf("%d have a place and %d are for the trie, want %d and 8", len(l.exact), got, probes)
		}
		exact := l.written()
		for _, d := range dests {
			if got := l.find(exact, 1, d.Prefix.Addr()); got != uint32(d.Record) {
				t.Errorf("%v has record %d, want %d", d.Prefix, got, d.Record)
			}
		}
	}
}

func TestEqualDestinationsShareTheirPlaces(t *testing.T) {
	addrs := draw(rand.New(rand.NewPCG(1, 1)), v4, 100, anyAddr)
	port, guard, other := destsTo(addrs, 1), destsTo(addrs, 1), destsTo(addrs, 2)
	l := layOut([]policy.Class{{}, {Dests: port}, {Dests: other}, {Dests: guard}})
	if l.classes[1].first != l.classes[3].first || l.classes[1].first == l.classes[2].first {
		t.Errorf("places begin at %v, %v and %v", l.classes[1].first, l.classes[2].first, l.classes[3].first)
	}
	if want := probes + 2*(150+probes); l.room != want {
		t.Errorf("%d places are needed, want %d", l.room, want)
	}
	if got := len(l.copies(1)); got != 1 {
		t.Errorf("record 1 has %d places, want 1", got)
	}
	if got := len(l.copies(2)); got != 2 {
		t.Errorf("record 2 has %d places, want 2", got)
	}
}

// written is exact as a bank has it.
func (l *places) written() []place {
	exact := make([]place, l.room)
	for _, p := range l.exact {
		exact[p.at] = p
	}
	return exact
}

// find is what match.h does.
func (l *places) find(exact []place, class int, a netip.Addr) uint32 {
	on, family, key := l.classes[class], familyOf(a), words(a)
	if on.homes[family] != 0 {
		first := on.first[family] + home(key, on.homes[family])
		for _, p := range exact[first : first+probes] {
			if p.record == 0 {
				break
			}
			if p.key == key {
				return p.record
			}
		}
	}
	return longest(on.prefixes[family], a)
}

// exactly is a plan in which each address has a set of its own as its tenant's,
// at two ports whose classes differ, as for the guard.
func exactly(addrs []netip.Addr, sets []*policy.Set) *policy.Plan {
	open := listed(prefixes("0.0.0.0/0", "::/0")...)
	var records []policy.Record
	for i, s := range sets {
		records = append(records, policy.Record{Endpoint: &policy.Endpoint{}, Name: addrs[i].String(), Own: open, Tenant: s})
	}
	dests := destsTo(addrs, 1)
	return &policy.Plan{
		Records: policy.RecordsOf(records...),
		Classes: []policy.Class{{}, {Dests: dests}, {Dests: slices.Clone(dests)}, {Dests: dests[:1]}},
		TCP:     []policy.PortClass{{First: 443, Last: 443, Class: 1}, {First: 444, Last: 444, Class: 3}},
		Guard:   2,
	}
}

func to(src, dst netip.Addr, port uint16) []byte {
	return packet{protocol: protoTCP, src: src, dst: dst, port: port}.frame()
}

// alike holds the two banks against each other.
func alike(t *testing.T, d *Datapath) {
	t.Helper()
	if err := d.awaitSettled(t.Context()); err != nil {
		t.Fatal(err)
	}
	one, other := d.gen.bank(0), d.gen.bank(1)
	if !slices.Equal(one.records, other.records) || !slices.Equal(one.exact, other.exact) ||
		!slices.Equal(one.classes, other.classes) || !slices.Equal(one.ports, other.ports) {
		t.Error("the banks differ")
	}
}

// Who found no place is judged like the others, whatever becomes of its list,
// and so is the address that a free place holds.
func TestCrowdedDestinations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	d := newDatapath(t)
	for family, src := range []netip.Addr{alien4, alien6} {
		addrs := crowd(r, family)
		sets := make([]*policy.Set, len(addrs))
		for i := range sets {
			sets[i] = listed(netip.PrefixFrom(src, src.BitLen()))
		}
		enforce(t, d, exactly(addrs, sets))
		for i := range addrs {
			sets[i] = listed()
			enforce(t, d, exactly(addrs, sets))
			for j, a := range addrs {
				want := bpfReasonLISTED
				if j <= i {
					want = bpfReasonNOT_LISTED_TENANT
				}
				if got, _ := verdict(t, d, to(src, a, 443)); got != want {
					t.Fatalf("to %v after %d changes: %v, want %v", a, i+1, Reason(got), Reason(want))
				}
			}
		}
		alike(t, d)
		nobody := form6{}.addr(policy.U128{Hi: 0x2001_0db8 << 32})
		if family == v4 {
			nobody = ip("0.0.0.0")
		}
		if got, _ := verdict(t, d, to(src, nobody, 443)); got != bpfReasonNO_ENDPOINT {
			t.Errorf("to %v: %v", nobody, Reason(got))
		}
	}
}

// Lists that fit beside their record, and those that just do not, are judged at
// all their edges; and again when each has become another.
func TestListsInTheirPlace(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	d := newDatapath(t)
	var addrs []netip.Addr
	var sets []*policy.Set
	for n := range 10 {
		for _, wide := range []bool{false, true} {
			s := randomSet(r, n, 32, wide)
			addrs = append(addrs, draw(r, v4, 1, anyAddr)[0], draw(r, v6, 1, anyAddr)[0])
			sets = append(sets, s, s)
		}
	}
	here := 0
	for turn := range len(sets) {
		enforce(t, d, exactly(addrs, sets))
		for i, a := range addrs {
			for _, src := range edges(r, sets[i]) {
				if src.Is4() != a.Is4() || src.IsLoopback() {
					continue
				}
				want := bpfReasonNOT_LISTED_TENANT
				if sets[i].Contains(src) {
					want = bpfReasonLISTED
				}
				if got, _ := verdict(t, d, to(src, a, 443)); got != want {
					t.Fatalf("turn %d: from %v to %v: %v, want %v", turn, src, a, Reason(got), Reason(want))
				}
			}
		}
		for _, p := range d.gen.bank(d.gen.liveBank()).exact {
			if kindOf(p.Record.Tenant) == bpfKindHERE {
				here++
			}
		}
		sets = append(sets[1:], sets[0])
	}
	if alike(t, d); here == 0 {
		t.Error("no list was in its place")
	}
}

// Destinations come and go, in one generation and into a larger one.
func TestOtherDestinations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	d := newDatapath(t)
	addrs := draw(r, v4, 1000, anyAddr)
	s := listed(netip.PrefixFrom(alien4, 32))
	for _, tt := range []struct {
		from, to int
		grows    bool
	}{
		{0, 10, true}, {0, 1000, true}, {500, 501, false}, {0, 500, false}, {500, 1000, false},
	} {
		n, before := tt.to-tt.from, d.gen
		enforce(t, d, exactly(addrs[tt.from:tt.to], slices.Repeat([]*policy.Set{s}, n)))
		if grown := d.gen != before; grown != tt.grows {
			t.Errorf("%d destinations: another generation is %v", n, grown)
		}
		for i, a := range addrs {
			want := bpfReasonNO_ENDPOINT
			if tt.from <= i && i < tt.to {
				want = bpfReasonLISTED
			}
			if got, _ := verdict(t, d, to(alien4, a, 443)); got != want {
				t.Fatalf("of %d to %d, to %v: %v, want %v", tt.from, tt.to, a, Reason(got), Reason(want))
			}
		}
		alike(t, d)
	}
}
