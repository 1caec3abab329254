package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// spell writes a list as listOf reads it, with its entries' comments behind a #.
func spell(l *List) string {
	var texts []string
	for e := range l.each() {
		text := e.Text
		switch {
		case e.Action == Deny:
			text = "-" + text
		case e.Disabled:
			text = "!" + text
		case !e.Live(lintTime):
			text = "." + text
		case !e.Expires.IsZero():
			text = "?" + text
		}
		if e.Comment != "" {
			text += "#" + e.Comment
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

// noted is listOf with the comment "old" on every entry.
func noted(t *testing.T, texts string) *List {
	t.Helper()
	l := listOf(t, strings.Fields(texts)...)
	for i := range l.Entries {
		l.Entries[i].Comment = "old"
	}
	return l
}

func TestReplaceShown(t *testing.T) {
	tests := []struct{ name, old, by, want string }{
		{"nothing-by-nothing", "", "", ""},
		{"all-new", "", "10.0.0.1 10.0.0.2", "10.0.0.1 10.0.0.2"},
		{"kept-as-it-was", "10.0.0.1 ?10.0.0.2", "10.0.0.1 10.0.0.2", "10.0.0.1#old ?10.0.0.2#old"},
		{"kept-and-spelled-anew", "192.176.1.0/24", "192.176.1.1/24", "192.176.1.1/24#old"},
		{"kept-as-a-range", "10.0.0.0/30", "10.0.0.0-10.0.0.3", "10.0.0.0-10.0.0.3#old"},
		{"one-gone", "10.0.0.1 10.0.0.2", "10.0.0.2", "10.0.0.2#old"},
		{"in-another-order", "10.0.0.1 10.0.0.2", "10.0.0.2 10.0.0.1", "10.0.0.2#old 10.0.0.1#old"},
		{"hidden-stays", "-10.0.0.9 10.0.0.1 !10.0.0.3 .10.0.0.4", "10.0.0.2", "-10.0.0.9#old 10.0.0.2 !10.0.0.3#old .10.0.0.4#old"},
		{"hidden-stays-alone", "-10.0.0.9 10.0.0.1 !10.0.0.3 .10.0.0.4", "", "-10.0.0.9#old !10.0.0.3#old .10.0.0.4#old"},
		{"hidden-gives-nothing", "-10.0.0.1 !10.0.0.2 .10.0.0.3", "10.0.0.1 10.0.0.2 10.0.0.3", "-10.0.0.1#old !10.0.0.2#old .10.0.0.3#old 10.0.0.1 10.0.0.2 10.0.0.3"},
		{"twice", "10.0.0.1", "10.0.0.1 10.0.0.1", "10.0.0.1#old 10.0.0.1"},
		{"families-apart", "::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, stamp := noted(t, tt.old), &Stamp{Author: "x"}
			got := ReplaceShown(old, listOf(t, strings.Fields(tt.by)...).Entries, lintTime, stamp)
			if spell(got) != tt.want {
				t.Fatalf("replaced = %q, want %q", spell(got), tt.want)
			}
			for e := range got.each() {
				if isNew := e.Comment == ""; isNew != (e.By == stamp) {
					t.Errorf("%s is by %v", e.Text, e.By)
				}
			}
		})
	}
}

func TestReplaceShownOfNone(t *testing.T) {
	got := ReplaceShown(nil, listOf(t, "10.0.0.1").Entries, lintTime, nil)
	if spell(got) != "10.0.0.1" || got.State != ListOn {
		t.Errorf("replaced = %v %q, want a list that is on", got.State, spell(got))
	}
	off := &List{State: ListOff}
	if got := ReplaceShown(off, listOf(t, "10.0.0.1").Entries, lintTime, nil); got.State != ListOff {
		t.Errorf("a list that was off is %v", got.State)
	}
}

func TestReplaceShownPrefixes(t *testing.T) {
	tests := []struct{ name, old, by, want string }{
		{"range-as-its-prefixes", "1.1.1.0-1.1.1.2", "1.1.1.0/31 1.1.1.2/32", "1.1.1.0-1.1.1.2#old"},
		{"and-in-another-order", "10.0.0.1 1.1.1.0-1.1.1.2", "1.1.1.2 10.0.0.1 1.1.1.0/31", "1.1.1.0-1.1.1.2#old 10.0.0.1#old"},
		{"range-less-a-prefix", "1.1.1.0-1.1.1.2", "1.1.1.0/31", "1.1.1.0/31"},
		{"denied-range", "-1.1.1.0-1.1.1.2 10.0.0.1", "-1.1.1.0/31 -1.1.1.2 10.0.0.1", "-1.1.1.0-1.1.1.2#old 10.0.0.1#old"},
		{"denied-range-now-allowed", "-1.1.1.0-1.1.1.2", "1.1.1.0/31 1.1.1.2", "1.1.1.0/31 1.1.1.2"},
		{"denials-are-shown", "-10.0.0.9 10.0.0.1", "10.0.0.1", "10.0.0.1#old"},
		{"hidden-range-stays", "!1.1.1.0-1.1.1.2", "1.1.1.0/31 1.1.1.2", "!1.1.1.0-1.1.1.2#old 1.1.1.0/31 1.1.1.2"},
		{"two-ranges", "1.1.1.0-1.1.1.2 1.1.1.2-1.1.1.4", "1.1.1.0/31 1.1.1.2/31 1.1.1.2 1.1.1.4", "1.1.1.0-1.1.1.2#old 1.1.1.2-1.1.1.4#old"},
		{"twice-a-range", "1.1.1.0-1.1.1.2 1.1.1.0-1.1.1.2", "1.1.1.0/31 1.1.1.2", "1.1.1.0-1.1.1.2#old"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ReplaceShownPrefixes(noted(t, tt.old), listOf(t, strings.Fields(tt.by)...).Entries, lintTime, nil)
			if spell(got) != tt.want {
				t.Errorf("replaced = %q, want %q", spell(got), tt.want)
			}
		})
	}
}

func TestShown(t *testing.T) {
	l := listOf(t, "10.0.0.1", "-10.0.0.2", "!10.0.0.3", ".10.0.0.4", "?10.0.0.5")
	for _, tt := range []struct {
		denies bool
		want   string
		hidden Hidden
	}{
		{false, "10.0.0.1 ?10.0.0.5", Hidden{Deny: 1, Disabled: 1, Expired: 1}},
		{true, "10.0.0.1 -10.0.0.2 ?10.0.0.5", Hidden{Disabled: 1, Expired: 1}},
	} {
		shown, hidden := l.Shown(tt.denies, lintTime)
		if got := spell(&List{Entries: shown}); got != tt.want || hidden != tt.hidden {
			t.Errorf("denies %v: shown %q, hidden %+v; want %q, %+v", tt.denies, got, hidden, tt.want, tt.hidden)
		}
	}
	if shown, hidden := (*List)(nil).Shown(true, lintTime); shown != nil || hidden != (Hidden{}) {
		t.Errorf("no list shows %v, hides %+v", shown, hidden)
	}
}

// TestReplaceShownAlways: what is shown is what was written, what is hidden
// stays, and writing what was read changes nothing.
func TestReplaceShownAlways(t *testing.T) {
	hiddenOf := func(l *List, denies bool) []Entry {
		return slices.DeleteFunc(slices.Clone(l.Entries), func(e Entry) bool { return e.shown(denies, noon) })
	}
	rapid.Check(t, func(rt *rapid.T) {
		entries := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Entry { return world{t}.entry() }), 0, 6)
		old := &List{Entries: entries.Draw(rt, "old")}
		by := entries.Draw(rt, "by")
		for i := range by {
			by[i].Action, by[i].Disabled, by[i].Expires = Allow, false, time.Time{}
		}
		next := ReplaceShown(old, by, noon, nil)
		shown, _ := next.Shown(false, noon)
		if got, want := texts(shown), texts(by); !slices.Equal(got, want) {
			rt.Fatalf("shown %q, want %q", got, want)
		}
		if d := cmp.Diff(hiddenOf(old, false), hiddenOf(next, false), cmp.Comparer(func(a, b Entry) bool { return a == b })); d != "" {
			rt.Fatalf("hidden: %s", d)
		}
		if again := ReplaceShown(next, shown, noon, nil); again != next {
			rt.Fatalf("read and written: %q, was %q", texts(again.Entries), texts(next.Entries))
		}
		shown, _ = next.Shown(true, noon)
		if again := ReplaceShownPrefixes(next, split(shown), noon, nil); len(overlapping(next)) == 0 && !slices.Equal(sorted(again), sorted(next)) {
			rt.Fatalf("read and written as prefixes: %q, was %q", texts(again.Entries), texts(next.Entries))
		}
	})
}

// split is the entries as their prefixes.
func split(entries []Entry) []Entry {
	var parts []Entry
	for _, e := range entries {
		if _, one := e.Range.Prefix(); one {
			parts = append(parts, e)
			continue
		}
		for _, p := range e.Range.Prefixes() {
			parts = append(parts, Entry{Text: p.String(), Range: mustParse(p.String()), Action: e.Action})
		}
	}
	return parts
}

// overlapping are the entries that share an address with one before them: their
// prefixes cannot be told apart.
func overlapping(l *List) []Entry {
	var found []Entry
	for i, e := range l.Entries {
		if slices.ContainsFunc(l.Entries[:i], func(o Entry) bool { return o.Range.Overlaps(e.Range) }) {
			found = append(found, e)
		}
	}
	return found
}

func sorted(l *List) []string { return slices.Sorted(slices.Values(texts(l.Entries))) }

func texts(entries []Entry) []string {
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = e.Text
	}
	return all
}
