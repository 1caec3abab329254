package policy

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestMap edits Maps of every size beside Go's own and compares all of them with
// all that were before.
func TestMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var kept []Map[int]
		var want []map[string]*int
		m, plain := Map[int]{}, map[string]*int{}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			edits := map[string]*int{}
			for range rapid.SampledFrom([]int{0, 1, 2, 40, 900}).Draw(rt, "edits") {
				name := fmt.Sprint("t", rapid.IntRange(0, 999).Draw(rt, "name"))
				edits[name] = new(int)
				if rapid.IntRange(0, 2).Draw(rt, "gone") == 0 {
					edits[name] = nil
				}
			}
			m, plain = m.Edit(edits), maps.Clone(plain)
			maps.Copy(plain, edits)
			maps.DeleteFunc(plain, func(_ string, v *int) bool { return v == nil })
			kept, want = append(kept, m), append(want, plain)
		}
		for i := range kept {
			compareMap(rt, kept[i], want[i])
			for j := range kept {
				compareSince(rt, kept[j], kept[i], want[j], want[i])
			}
		}
	})
}

func compareMap(t *rapid.T, m Map[int], want map[string]*int) {
	if got := maps.Collect(m.All()); !maps.Equal(got, want) || m.Len() != len(want) {
		t.Fatalf("map of %d = %v, want %v", m.Len(), got, want)
	}
	for i := range 1000 {
		if name := fmt.Sprint("t", i); m.Get(name) != want[name] {
			t.Fatalf("%s = %p, want %p", name, m.Get(name), want[name])
		}
	}
}

func compareSince(t *rapid.T, m, before Map[int], now, then map[string]*int) {
	got, want := map[string]Change[int]{}, map[string]Change[int]{}
	for c := range m.Since(before) {
		got[c.Name] = c
	}
	for i := range 1000 {
		if name := fmt.Sprint("t", i); now[name] != then[name] {
			want[name] = Change[int]{name, then[name], now[name]}
		}
	}
	if !maps.Equal(got, want) {
		t.Fatalf("changes = %v, want %v", got, want)
	}
}

// TestMapSharesWhatIsTheSame counts the nodes an edit makes.
func TestMapSharesWhatIsTheSame(t *testing.T) {
	values := map[string]*int{}
	for i := range 10_000 {
		values[fmt.Sprint("t", i)] = new(int)
	}
	before := MapOf(values)
	after := before.With("t7", new(int))
	old := map[*node[int]]bool{}
	nodes(before.root, func(n *node[int]) { old[n] = true })
	fresh := 0
	nodes(after.root, func(n *node[int]) {
		if !old[n] {
			fresh++
		}
	})
	if fresh > 5 {
		t.Errorf("an edit made %d of %d nodes anew", fresh, len(old))
	}
	if again := after.With("t7", after.Get("t7")); again != after {
		t.Errorf("an edit that changes nothing made another map")
	}
}

func nodes(n *node[int], f func(*node[int])) {
	if n == nil {
		return
	}
	f(n)
	if n.kids != nil {
		for _, kid := range n.kids {
			nodes(kid, f)
		}
	}
}

// TestMapWithEqualHashes puts more names under one hash than a leaf holds.
func TestMapWithEqualHashes(t *testing.T) {
	var edits []item[int]
	want := map[string]*int{}
	for i := range 100 {
		name := fmt.Sprint("t", i)
		want[name] = new(int)
		edits = append(edits, item[int]{name, 7, want[name]})
	}
	m := Map[int]{root: (*node[int])(nil).edit(edits, 0), size: 100}
	if diff := cmp.Diff(want, maps.Collect(m.All())); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for name, value := range want {
		if got := m.root.get(name, 7, 0); got != value {
			t.Errorf("%s = %p, want %p", name, got, value)
		}
	}
}
