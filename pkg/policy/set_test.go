package policy

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"go4.org/netipx"
	"pgregory.net/rapid"
)

// brink draws addresses where families and upper halves begin and end, and few
// others, so that ranges touch, nest and fall together.
func (w world) brink(is4 bool) netip.Addr {
	step := rapid.Uint64Range(0, 5).Draw(w.T, "step")
	if is4 {
		return addr4(rapid.SampledFrom([]uint32{0, 10 << 24, math.MaxUint32 - 5}).Draw(w.T, "from") + uint32(step))
	}
	const far = math.MaxUint64 - 5
	from := rapid.SampledFrom([]U128{{0, 0}, {7, far}, {8, 0}, {math.MaxUint64, far}}).Draw(w.T, "from")
	return U128{from.Hi, from.Lo + step}.Addr()
}

func (w world) brinkEntry() Entry {
	is4 := rapid.Bool().Draw(w.T, "is-4")
	from, to := w.brink(is4), w.brink(is4)
	if to.Less(from) {
		from, to = to, from
	}
	return Entry{
		Text: from.String() + "-" + to.String(), Range: netipx.IPRangeFrom(from, to),
		Action: rapid.SampledFrom([]Action{Allow, Allow, Deny}).Draw(w.T, "action"),
	}
}

func (w world) brinkList() *List {
	entry := rapid.Custom(func(t *rapid.T) Entry { return world{t}.brinkEntry() })
	return &List{Entries: rapid.SliceOfN(entry, 1, 8).Draw(w.T, "entries")}
}

func (w world) set() *Set {
	var c Compiler
	c.state, c.now = &State{}, noon
	return c.compile(listPart{List: w.brinkList()}).set
}

// edges are the first and last address of each family, and those where one of
// the sets turns, with their neighbours.
func edges(sets ...*Set) []netip.Addr {
	at := []netip.Addr{addr4(0), addr4(math.MaxUint32), U128{}.Addr(), lastIPv6.Addr()}
	for _, s := range sets {
		at = append(at, edges(s.Parts...)...)
		for _, end := range s.V4.Ends {
			at = append(at, addr4(end-1), addr4(end), addr4(end+1))
		}
		for _, end := range s.V6.Ends {
			before, _ := end.Prev()
			after, _ := end.Next()
			at = append(at, before.Addr(), end.Addr(), after.Addr())
		}
	}
	return at
}

// ends are the first and last address of each entry, with their neighbours.
func (l *List) ends() []netip.Addr {
	var at []netip.Addr
	for _, e := range l.Entries {
		for _, a := range []netip.Addr{e.Range.From(), e.Range.To()} {
			for _, near := range []netip.Addr{a.Prev(), a, a.Next()} {
				if near.IsValid() {
					at = append(at, near)
				}
			}
		}
	}
	return at
}

// TestSetIsTheLaw holds a list's set and its index to the law, at every address
// where one of the three may turn.
func TestSetIsTheLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := world{rt}.brinkList()
		table, err := Compile(&State{System: map[string]*List{AnyResource: l}}, Host{}, noon)
		if err != nil {
			rt.Fatal(err)
		}
		set := table.system.lists.of(AnyResource).set
		checkForm(rt, &set.V4, math.MaxUint32)
		checkForm(rt, &set.V6, lastIPv6)
		for _, a := range append(edges(set), l.ends()...) {
			want := passes(l, a)
			if got := set.Contains(a); got != want {
				rt.Errorf("set %+v contains %v = %v, want %v", set, a, got, want)
			}
			if v := table.Decide(Query{Addr: a}); v.Allow != want {
				rt.Errorf("Decide(%v) = %+v, want allow = %v", a, v, want)
			}
		}
	})
}

// checkForm holds f to what FamilySet promises to those who load it.
func checkForm[K uint32 | U128](t *rapid.T, f *FamilySet[K], last K) {
	kind := KindListed
	if len(f.Ends) == 0 {
		kind = map[bool]Kind{true: KindOpen, false: KindNobody}[f.First]
	}
	if f.Kind != kind {
		t.Errorf("kind %d of %+v, want %d", f.Kind, f, kind)
	}
	if slices.Contains(f.Ends, last) {
		t.Errorf("%+v ends at the last address", f)
	}
	if cap(f.Ends) != len(f.Ends) {
		t.Errorf("%d ends in %d places", len(f.Ends), cap(f.Ends))
	}
	rise := func(a, b K) int { return compareAny(any(a), any(b)) }
	if !slices.IsSortedFunc(f.Ends, rise) || len(slices.Compact(slices.Clone(f.Ends))) != len(f.Ends) {
		t.Errorf("%+v does not rise", f.Ends)
	}
}

func compareAny(a, b any) int {
	if v, ok := a.(U128); ok {
		return v.Compare(b.(U128))
	}
	return int(int64(a.(uint32)) - int64(b.(uint32)))
}

func TestIntersect(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := world{rt}
		a, b := w.set(), w.set()
		got := intersect(a, b)
		checkForm(rt, &got.V4, math.MaxUint32)
		checkForm(rt, &got.V6, lastIPv6)
		for _, at := range edges(a, b, &got) {
			if want := a.Contains(at) && b.Contains(at); got.Contains(at) != want {
				rt.Errorf("%+v and %+v = %+v contains %v = %v, want %v", a, b, got, at, !want, want)
			}
		}
	})
}

func TestUnionOf(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := world{rt}
		a, b, c := w.set(), w.set(), w.set()
		inner := UnionOf(a, b)
		got := UnionOf(inner, c, a)
		for _, part := range got.Parts {
			if part.Parts != nil {
				rt.Errorf("%+v is a union within a union", part)
			}
		}
		if kind := max(a.V4.Kind, b.V4.Kind, c.V4.Kind); got.V4.Kind != kind {
			rt.Errorf("kind %d of %+v, want %d", got.V4.Kind, got, kind)
		}
		for _, at := range edges(a, b, c) {
			if want := a.Contains(at) || b.Contains(at) || c.Contains(at); got.Contains(at) != want {
				rt.Errorf("%+v contains %v = %v, want %v", got, at, !want, want)
			}
		}
	})
}

func TestNewSet(t *testing.T) {
	tests := []struct {
		name, allow, deny string
		want              string
	}{
		{name: "none", want: "nobody; nobody"},
		{name: "only-denies", deny: "192.0.2.0/24 ::/0", want: "nobody; nobody"},
		{name: "everybody", allow: "0.0.0.0/0 ::/0", want: "open; open"},
		{name: "halves", allow: "0.0.0.0/1 128.0.0.0/1", want: "open; nobody"},
		{name: "first-address", allow: "0.0.0.0/32 ::/128", want: "pass 0.0.0.0; pass ::"},
		{
			name: "last-address", allow: "255.255.255.255/32 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
			want: "drop 255.255.255.254; drop ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
		},
		{name: "neighbours-are-one", allow: "192.0.2.0/25 192.0.2.128/25", want: "drop 192.0.1.255 192.0.2.255; nobody"},
		{name: "host-bits", allow: "192.0.2.77/24", want: "drop 192.0.1.255 192.0.2.255; nobody"},
		{
			name: "deny-inside", allow: "192.0.2.0/24", deny: "192.0.2.7/32",
			want: "drop 192.0.1.255 192.0.2.6 192.0.2.7 192.0.2.255; nobody",
		},
		{name: "deny-at-the-edge", allow: "192.0.2.0/24", deny: "192.0.2.0/25", want: "drop 192.0.2.127 192.0.2.255; nobody"},
		{name: "deny-over-all", allow: "192.0.2.0/24", deny: "192.0.0.0/16", want: "nobody; nobody"},
		{
			name: "over-a-half", allow: "2001:db8::/64",
			want: "nobody; drop 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8::ffff:ffff:ffff:ffff",
		},
		{name: "mapped-is-ipv6", allow: "::ffff:0:0/96", want: "nobody; drop ::fffe:ffff:ffff ::ffff:255.255.255.255"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewSet(prefixesOf(tt.allow), prefixesOf(tt.deny))
			v4 := familyText(&s.V4, addr4)
			v6 := familyText(&s.V6, U128.Addr)
			if got := v4 + "; " + v6; got != tt.want {
				t.Errorf("NewSet(%s; %s) = %s, want %s", tt.allow, tt.deny, got, tt.want)
			}
		})
	}
}

func prefixesOf(text string) []netip.Prefix {
	var ps []netip.Prefix
	for _, p := range strings.Fields(text) {
		ps = append(ps, netip.MustParsePrefix(p))
	}
	return ps
}

// familyText is the kind of f, or the answer for the first address and where it
// turns.
func familyText[K uint32 | U128](f *FamilySet[K], addr func(K) netip.Addr) string {
	if f.Kind != KindListed {
		return map[Kind]string{KindNobody: "nobody", KindOpen: "open"}[f.Kind]
	}
	text := map[bool]string{true: "pass", false: "drop"}[f.First]
	for _, end := range f.Ends {
		text += " " + addr(end).String()
	}
	return text
}

func TestEqualListsShareASet(t *testing.T) {
	list := func(texts ...string) map[string]*List {
		l := &List{}
		for _, text := range texts {
			l.Entries = append(l.Entries, entryOf(t, text))
		}
		return map[string]*List{AnyResource: l}
	}
	s := &State{Tenants: MapOf(map[string]*Tenant{
		"range":    {ID: "range", Lists: list("192.0.2.0-192.0.2.255", "2001:db8::/32")},
		"prefixes": {ID: "prefixes", Lists: list("2001:db8::/32", "192.0.2.128/25", "192.0.2.0/25")},
		"other":    {ID: "other", Lists: list("192.0.2.0/24", "2001:db8::/33")},
	})}
	table, err := Compile(s, Host{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	set := func(id string) *Set { return table.tenants.Get(id).lists.of(AnyResource).set }
	if set("range") != set("prefixes") {
		t.Errorf("%+v and %+v are two sets", set("range"), set("prefixes"))
	}
	if set("range") == set("other") {
		t.Errorf("lists that differ share %+v", set("other"))
	}
}

func TestU128(t *testing.T) {
	tests := []struct {
		at, next string // next "": it is the last
	}{
		{"::", "::1"},
		{"::ffff:ffff:ffff:ffff", "0:0:0:1::"},
		{"2001:db8::ff", "2001:db8::100"},
		{lastIPv6.Addr().String(), ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint("after-", tt.at), func(t *testing.T) {
			u := ToU128(netip.MustParseAddr(tt.at))
			next, ok := u.Next()
			if ok != (tt.next != "") || ok && next.Addr().String() != tt.next {
				t.Fatalf("next is %v, %v, want %q", next.Addr(), ok, tt.next)
			}
			if prev, before := next.Prev(); prev != u || before != ok {
				t.Errorf("and before it %v, %v, want %v, %v", prev.Addr(), before, u.Addr(), ok)
			}
		})
	}
}
