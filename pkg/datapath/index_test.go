package datapath

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

// shapes are the sets of random ranges the index is held against, with what
// is hard about each.
var shapes = []struct {
	name  string
	parts int // more than one: a union
	n     int // ranges of a part
	bits  int // of the space they are in
	wide  bool
}{
	{"one-range", 1, 1, 32, false},
	{"a-full-line", 1, 8, 32, true},
	{"two-levels", 1, 70, 20, false},
	{"many-nodes", 1, 500, 32, true},
	{"root", 1, 3000, 32, false},
	{"root-of-a-small-space", 1, 3000, 14, true},
	{"deep-slots", 1, 20000, 16, false},
	{"small-union", 5, 50, 16, false},
	{"large-union", 40, 100, 17, true},
	{"union-of-large", 3, 5000, 32, false},
}

// randomSet has n ranges in each family, all within some bits of the space.
func randomSet(r *rand.Rand, n, bits int, wide bool) *policy.Set {
	var allow, deny []netip.Prefix
	for i := range n {
		a4 := r.Uint32()>>(32-bits) | 10<<24
		p4 := netip.PrefixFrom(form4{}.addr(a4), 32-r.IntN(4)).Masked()
		hi, size := 0x20010db8_00000000|r.Uint64()>>(64-bits), 64-r.IntN(6)
		u := policy.U128{Hi: hi}
		if wide && r.IntN(4) == 0 {
			u.Lo, size = uint64(r.IntN(64)), 128-r.IntN(3)
		}
		p6 := netip.PrefixFrom(u.Addr(), size).Masked()
		if i%7 == 6 {
			deny = append(deny, p4, p6)
		} else {
			allow = append(allow, p4, p6)
		}
	}
	return policy.NewSet(allow, deny)
}

func randomUnion(r *rand.Rand, parts, n, bits int, wide bool) *policy.Set {
	var sets []*policy.Set
	for range parts {
		sets = append(sets, randomSet(r, n, bits, wide))
	}
	return policy.UnionOf(sets...)
}

// changed is the set with one range more or one part other.
func changed(r *rand.Rand, s *policy.Set, bits int, wide bool) *policy.Set {
	if s.Parts == nil {
		return policy.UnionOf(s, randomSet(r, 1, bits, wide))
	}
	parts := append([]*policy.Set{}, s.Parts...)
	parts[r.IntN(len(parts))] = randomSet(r, 3, bits, wide)
	return policy.UnionOf(append(parts, randomSet(r, 2, bits, wide))...)
}

// edges are the addresses on both sides of each end of a set, the first and the
// last of each family, and some chosen by chance.
func edges(r *rand.Rand, s *policy.Set) []netip.Addr {
	all := []netip.Addr{
		ip("0.0.0.0"), ip("255.255.255.255"), ip("::"), ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
		ip("2000::"), ip("9.255.255.255"), form4{}.addr(r.Uint32()), policy.U128{Hi: r.Uint64(), Lo: r.Uint64()}.Addr(),
	}
	parts := s.Parts
	if parts == nil {
		parts = []*policy.Set{s}
	}
	for _, part := range parts {
		for _, e := range part.V4.Ends {
			all = append(all, form4{}.addr(e), form4{}.addr(e+1))
		}
		for _, e := range part.V6.Ends {
			all = append(all, e.Addr(), form6{}.next(e).Addr())
			all = append(all, policy.U128{Hi: e.Hi, Lo: r.Uint64()}.Addr())
		}
	}
	return all
}

// disagree asks the kernel for a set at all its edges.
func disagree(t *testing.T, d *Datapath, r *rand.Rand, s *policy.Set) {
	t.Helper()
	on := d.gen.lists.sets[s]
	for _, a := range edges(r, s) {
		if err := d.gen.probe.ask(on.words[familyOf(a)], familyOf(a), words(a), uint32(delta(s.Contains(a)))); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.gen.probe.flush(); err != nil {
		t.Fatal(err)
	}
}

// Index and trie answer as the set does, fresh and after changes to it.
func TestIndexIsTheSet(t *testing.T) {
	seed := rand.Uint64()
	for name, cfg := range bothAnswers {
		for _, tt := range shapes {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				t.Logf("seed %d", seed)
				r := rand.New(rand.NewPCG(seed, 0))
				d := newDatapathWith(t, cfg)
				s := randomUnion(r, tt.parts, tt.n, tt.bits, tt.wide)
				for range 6 {
					enforce(t, d, guarded(s))
					disagree(t, d, r, s)
					s = changed(r, s, tt.bits, tt.wide)
				}
				enforce(t, d, guarded())
				settled(t, d, 0)
			})
		}
	}
}

// Where the first and the last address of the space differ, a root that reaches
// beyond its end is a root still; and parts may make up for each other.
func TestIndexAtTheEnds(t *testing.T) {
	all4, all6 := prefixes("0.0.0.0/0")[0], prefixes("::/0")[0]
	upper := prefixes("240.0.0.0/4", "f000::/4")
	holes := append(spread(3000), spread6(3000)...)
	most := policy.NewSet([]netip.Prefix{all4, all6}, append(slices.Clone(holes), upper...))
	sets := map[string]*policy.Set{
		"all-but-the-end":  most,
		"the-end-too":      policy.NewSet(append(slices.Clone(holes), upper...), nil),
		"all-but-holes":    policy.NewSet([]netip.Prefix{all4, all6}, holes),
		"union-of-most":    unionOf(most, listed(many(3000)...), listed(prefixes("2001:db8::/48")...)),
		"parts-make-up":    unionOf(listed(holes...), policy.NewSet([]netip.Prefix{all4, all6}, holes)),
		"few-make-up":      unionOf(listed(holes[:9]...), policy.NewSet([]netip.Prefix{all4}, holes[:9])),
		"last-address":     listed(prefixes("255.255.255.255/32", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")...),
		"first-address":    listed(prefixes("0.0.0.0/32", "::/128")...),
		"last-of-a-root":   listed(append(prefixes("255.255.255.255/32"), spread(3000)...)...),
		"first-of-a-root":  listed(append(prefixes("0.0.0.0/32"), spread(3000)...)...),
		"whole-ends-upper": listed(append(prefixes("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124"), spread6(3000)...)...),
	}
	for name, cfg := range bothAnswers {
		for _, set := range slices.Sorted(maps.Keys(sets)) {
			t.Run(name+"/"+set, func(t *testing.T) {
				d := newDatapathWith(t, cfg)
				enforce(t, d, guarded(sets[set]))
				disagree(t, d, rand.New(rand.NewPCG(1, 1)), sets[set])
				enforce(t, d, guarded())
				settled(t, d, 0)
			})
		}
	}
}

// spread6 are n /64s all over 2000::/3.
func spread6(n int) []netip.Prefix {
	ps := make([]netip.Prefix, n)
	for i := range ps {
		ps[i] = netip.PrefixFrom(policy.U128{Hi: 1<<61 + uint64(i)*(1<<61/uint64(n))}.Addr(), 64)
	}
	return ps
}

// A union that outgrows its root gets another, and no slot takes it all.
func TestUnionGetsAnotherRoot(t *testing.T) {
	d := newDatapath(t)
	small := unionOf(listed(many(3000)...), listed(many(10)...))
	enforce(t, d, guarded(small, listed(spread(100_000)...))) // the second: room
	enforce(t, d, guarded(small))
	gen := d.gen
	large := unionOf(small, listed(spread(20_000)...))
	enforce(t, d, guarded(large))
	if d.gen != gen {
		t.Fatal("the generation is another")
	}
	r := rootOf(d.gen.lists.sets[large].words[v4])
	for i := range r.slots() {
		if n := d.gen.lists.nodes.run(ref(*slotIn(d.gen.lists.nodes.at(r.run()), i))).n; n > 400 {
			t.Errorf("slot %d of %d has %d nodes", i, r.slots(), n)
		}
	}
	disagree(t, d, rand.New(rand.NewPCG(1, 1)), large)
}

// A list that changes in one place is written in one place.
func TestHeirsShareNodes(t *testing.T) {
	list, union := listed(spread(2000)...), unionOf(listed(spread(3000)...), listed(many(10)...))
	tests := []struct {
		name     string
		from, to *policy.Set
		shares   bool
	}{
		{"list", list, listed(append(spread(2000), prefixes("11.0.0.1/32")...)...), true},
		{"list-one-gone", list, listed(spread(2000)[:1999]...), true},
		{"list-of-everybody-else", list, policy.NewSet(prefixes("0.0.0.0/0"), spread(2000)), false},
		{"list-much-larger", list, listed(spread(20000)...), false},
		{"list-below-the-root", list, listed(append(spread(2000), prefixes("8.0.0.0/8")...)...), false},
		{"list-small", listed(many(10)...), listed(many(11)...), false},
		{"union-part-changed", union, unionOf(union.Parts[0], listed(many(11)...)), true},
		{"union-part-added", union, unionOf(union, listed(many(11)...)), true},
		{"union-part-gone", unionOf(union, listed(many(11)...)), union, true},
		{"union-below-the-root", union, unionOf(union, listed(prefixes("8.0.0.0/8")...)), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 1))
			d := newDatapath(t)
			enforce(t, d, guarded(tt.from, listed(spread(60000)...))) // the second: room
			enforce(t, d, guarded(tt.from))
			gen, before := d.gen, runsOf(d, tt.from)
			enforce(t, d, guarded(tt.to))
			if d.gen != gen {
				t.Fatal("the generation is another")
			}
			kept := 0
			for at := range runsOf(d, tt.to) {
				if before[at] {
					kept++
				}
			}
			t.Logf("%d of %d runs were kept", kept, len(before))
			if got := kept > len(before)/2; got != tt.shares {
				t.Errorf("shares = %v, want %v", got, tt.shares)
			}
			disagree(t, d, r, tt.to)
			settled(t, d, 0)
		})
	}
}

// spread are n single addresses all over 10.0.0.0 to 127.0.0.0.
func spread(n int) []netip.Prefix {
	ps := make([]netip.Prefix, n)
	for i := range ps {
		ps[i] = netip.PrefixFrom(form4{}.addr(10<<24+uint32(i)*(100<<24/uint32(n))), 32)
	}
	return ps
}

func runsOf(d *Datapath, s *policy.Set) map[run]bool {
	runs := map[run]bool{}
	for family, word := range d.gen.lists.sets[s].words {
		for _, r := range d.gen.lists.index[family].runs(word) {
			runs[r] = true
		}
	}
	return runs
}

// However parts come and go, a union is what its parts are.
func TestUnionCountsItsParts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	parts := func(n int) []*policy.FamilySet[uint32] {
		var all []*policy.FamilySet[uint32]
		for range n {
			all = append(all, &randomSet(r, r.IntN(8), 8+r.IntN(8), false).V4)
		}
		return all
	}
	held := parts(40)
	u := newUnion(form4{}, gather(form4{}, held))
	for range 200 {
		in := parts(r.IntN(4))
		n := r.IntN(min(len(held), 4))
		out := held[:n]
		if !u.holds(in) {
			continue
		}
		was := maps.Collect(u.all())
		touched := u.change(in, out)
		held = append(held[n:], in...)
		first, ends := gather(form4{}, held).flat()
		for i, want := range (segments[uint32]{form4{}, u.table, first, ends}).all() {
			if got := u.segment(i); !got.equal(want) {
				t.Fatalf("slot %d is %v, its parts %v", i, got, want)
			}
			if turned := !was[i].equal(want); turned != slices.Contains(touched, i) {
				t.Fatalf("slot %d changed: %v, said: %v", i, turned, !turned)
			}
		}
	}
}

func TestEncode(t *testing.T) {
	tests := []struct {
		name        string
		allow, deny []string
		want        []string
	}{
		{"nothing", nil, nil, nil},
		{"everything", []string{"0.0.0.0/0"}, nil, []string{"0.0.0.0/0 1"}},
		{"a-prefix", []string{"10.0.0.0/8"}, nil, []string{"10.0.0.0/8 1"}},
		{"neighbours", []string{"10.0.0.0/9", "10.128.0.0/9"}, nil, []string{"10.0.0.0/8 1"}},
		{"last-address", []string{"255.255.255.255/32"}, nil, []string{"255.255.255.255/32 1"}},
		{"all-but-one", []string{"0.0.0.0/0"}, []string{"10.0.0.7/32"}, []string{"0.0.0.0/0 1", "10.0.0.7/32 0"}},
		{
			"holes",
			[]string{"10.0.0.0/8"},
			[]string{"10.0.0.7/32", "10.3.0.0/16"},
			[]string{"10.0.0.0/8 1", "10.0.0.7/32 0", "10.3.0.0/16 0"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := policy.NewSet(prefixes(tt.allow...), prefixes(tt.deny...))
			var got []string
			for _, e := range encode(form4{}, s.V4.First, s.V4.Ends) {
				got = append(got, e.prefix.String()+" "+string(rune('0'+e.value)))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A deny is an entry, and not the prefixes that are left around it.
func TestEncodeDeniesInIPv6(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	allow, deny := prefixes("2001:db8::/32"), []netip.Prefix(nil)
	for range 20_000 {
		a := policy.U128{Hi: 0x20010db8_00000000 | r.Uint64()>>32, Lo: r.Uint64()}.Addr()
		deny = append(deny, netip.PrefixFrom(a, 128))
	}
	s := policy.NewSet(allow, deny)
	if got, want := len(encode(form6{}, s.V6.First, s.V6.Ends)), 1+len(deny); got > want {
		t.Errorf("%d entries, want no more than %d", got, want)
	}
}

func TestNodes(t *testing.T) {
	ns := newNodes(make([]bpfNode, 20))
	a, _ := ns.take(9) // takes 10
	b, _ := ns.take(10)
	if _, ok := ns.take(1); ok || a.at == b.at {
		t.Fatalf("took more than there is: %v, %v", a, b)
	}
	ns.give([]run{{a.at, 9}})
	if c, ok := ns.take(10); !ok || c != a {
		t.Errorf("what was given back is %v (%v), want %v", c, ok, a)
	}
	if got := ns.used.Load(); got != 20 {
		t.Errorf("%d are in use, want 20", got)
	}
}
