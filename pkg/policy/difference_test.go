package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-io/postern/pkg/addr"
)

func mustParse(text string) addr.Range {
	r, err := addr.Parse(text)
	if err != nil {
		panic(err)
	}
	return r
}

// tell writes a list's difference in one line.
func tell(d ListDifference) string {
	said := fmt.Sprintf("admits +%v -%v denies +%v -%v", d.Admits.Added, d.Admits.Removed, d.Denies.Added, d.Denies.Removed)
	for _, e := range d.Entries {
		switch {
		case e.Before == nil:
			said += " +" + e.After.Text
		case e.After == nil:
			said += " -" + e.Before.Text
		default:
			said += " " + e.Before.Text + ">" + e.After.Text
		}
	}
	return said
}

func TestDifferLists(t *testing.T) {
	tests := []struct{ name, before, after, want string }{
		{"same", "10.0.0.1", "10.0.0.1", ""},
		{"new-list", "", "10.0.0.0/24 -10.0.0.128/25", "admits +[10.0.0.0/25] -[] denies +[10.0.0.128/25] -[] +10.0.0.0/24 +10.0.0.128/25"},
		{"cleared", "10.0.0.1-10.0.0.2", "", "admits +[] -[10.0.0.1/32 10.0.0.2/32] denies +[] -[] -10.0.0.1-10.0.0.2"},
		{"narrowed", "10.0.0.0/24", "10.0.0.0/25", "admits +[] -[10.0.0.128/25] denies +[] -[] +10.0.0.0/25 -10.0.0.0/24"},
		{"spelled-anew", "10.0.0.0/31", "10.0.0.0-10.0.0.1", "admits +[] -[] denies +[] -[] 10.0.0.0/31>10.0.0.0-10.0.0.1"},
		{"disabled", "10.0.0.1", "!10.0.0.1", "admits +[] -[10.0.0.1/32] denies +[] -[] 10.0.0.1>10.0.0.1"},
		{"now-ends", "10.0.0.1", "?10.0.0.1", "admits +[] -[] denies +[] -[] 10.0.0.1>10.0.0.1"},
		{"now-denied", "10.0.0.1", "-10.0.0.1", "admits +[] -[10.0.0.1/32] denies +[10.0.0.1/32] -[] +10.0.0.1 -10.0.0.1"},
		{"one-of-two-alike", "10.0.0.1 10.0.0.1", "10.0.0.1", "admits +[] -[] denies +[] -[] -10.0.0.1"},
		{"all-of-a-family", "::1", "::1 0.0.0.0/0", "admits +[0.0.0.0/0] -[] denies +[] -[] +0.0.0.0/0"},
		{"both-families", "0.0.0.0/0", "::/0", "admits +[::/0] -[0.0.0.0/0] denies +[] -[] +::/0 -0.0.0.0/0"},
	}
	at := Place{Scope: ScopeSystem, Resource: AnyResource}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			image := func(text string) Image {
				return Image{Lists: map[Place]*List{at: listOf(t, strings.Fields(text)...)}}
			}
			var got []string
			d := Differ(image(tt.before), image(tt.after))
			d.Prefixes(lintTime)
			for _, l := range d.Lists {
				got = append(got, tell(l))
			}
			if said := strings.Join(got, "\n"); said != tt.want {
				t.Errorf("difference = %q\nwant %q", said, tt.want)
			}
		})
	}
}

func TestDifferRecords(t *testing.T) {
	before := guarded(t)
	d := NewDraft(before)
	edited := *before.Endpoint("e")
	edited.Resource = "webUI"
	for _, err := range []error{
		d.SetRecord("a", &TenantRecord{Name: "A"}),
		d.DropUser("a", "u"),
		d.SetRecord("b", &TenantRecord{}),
		d.SetEndpoint("e", &edited),
		d.SetFiltering(true),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	diff := Differ(d.Before(), d.Before().Like(d.State()))
	var got []string
	for _, l := range diff.Lists {
		got = append(got, l.At.String())
	}
	for _, c := range diff.Tenants {
		got = append(got, fmt.Sprintf("%s %v>%v", c.Name, c.Before != nil, c.After != nil))
	}
	for _, c := range diff.Endpoints {
		got = append(got, c.Name+" "+c.Before.Resource+">"+c.After.Resource)
	}
	want := []string{"tenants/a/users/u/dataAccess", "a false>true", "b false>true", "e *>webUI"}
	if !slices.Equal(got, want) || diff.Filtering == nil || *diff.Filtering != (Switched{false, true}) {
		t.Errorf("difference = %q, switch %v; want %q and the switch", got, diff.Filtering, want)
	}
	is := d.Before().Like(d.State())
	if same := Differ(is, is); len(same.Lists)+len(same.Tenants)+len(same.Endpoints) > 0 || same.Filtering != nil {
		t.Errorf("a state differs from itself: %+v", same)
	}
}

// TestDifferAlways: an address is in the difference where one list admits it and
// the other does not, and nowhere else.
func TestDifferAlways(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		before, after := world{rt}.brinkList(), world{rt}.brinkList()
		d := Difference{Lists: []ListDifference{{ListChange: ListChange{Before: before, After: after}}}}
		d.Prefixes(noon)
		was, is := before.sides(noon), after.sides(noon)
		for _, a := range append(append(before.ends(), after.ends()...), edges(was[Allow], is[Deny])...) {
			for i, diff := range []PrefixDifference{d.Lists[0].Admits, d.Lists[0].Denies} {
				added, removed := contains(diff.Added, a), contains(diff.Removed, a)
				if added != (is[i].Contains(a) && !was[i].Contains(a)) || removed != (was[i].Contains(a) && !is[i].Contains(a)) {
					rt.Fatalf("%s: added %v, removed %v; was %v, is %v", a, added, removed, was[i].Contains(a), is[i].Contains(a))
				}
			}
		}
	})
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// TestDifferEntriesAlways: who makes the changes of an old list has the new one,
// and what is not changed is alike.
func TestDifferEntriesAlways(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		entry := rapid.Custom(func(t *rapid.T) Entry {
			e := world{t}.brinkEntry()
			e.Comment = rapid.SampledFrom([]string{"", "x"}).Draw(t, "comment")
			return e
		})
		pool := rapid.SliceOfN(entry, 1, 4).Draw(rt, "pool")
		some := rapid.SliceOfN(rapid.SampledFrom(pool), 0, 6)
		before, after := &List{Entries: some.Draw(rt, "before")}, &List{Entries: some.Draw(rt, "after")}
		got := map[string]int{}
		for _, e := range before.Entries {
			got[reading(&e)]++
		}
		for _, c := range differEntries(before, after) {
			if c.Before != nil {
				got[reading(c.Before)]--
			}
			if c.After != nil {
				got[reading(c.After)]++
			}
			if c.Before != nil && c.After != nil && c.Before.same(c.After) {
				rt.Fatalf("%s is alike", c.After.Text)
			}
		}
		for _, e := range after.Entries {
			got[reading(&e)]--
		}
		for text, n := range got {
			if n != 0 {
				rt.Fatalf("%d of %s", n, text)
			}
		}
		if before.Alike(after) != (before.Tag() == after.Tag()) {
			rt.Fatal("alike, and not of one tag")
		}
	})
}

func reading(e *Entry) string { return fmt.Sprint(e.Text, e.Action, e.Comment) }
