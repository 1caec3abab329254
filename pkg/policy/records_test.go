package policy

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestRecords edits Records of every size beside a slice, and compares all with
// all that were before.
func TestRecords(t *testing.T) {
	set := &Set{}
	rapid.Check(t, func(rt *rapid.T) {
		kept, want := []Records{{}}, [][]Record{{{}}}
		for range 4 {
			i := rapid.IntRange(0, len(kept)-1).Draw(rt, "from")
			e, plain := kept[i].edit(), slices.Clone(want[i])
			for range rapid.SampledFrom([]int{0, 1, 70, 200}).Draw(rt, "edits") {
				number := rapid.IntRange(1, len(plain)).Draw(rt, "number")
				r := Record{Name: fmt.Sprint(rapid.IntRange(0, 3).Draw(rt, "name"))}
				if rapid.Bool().Draw(rt, "shadow") {
					r.ShadowOwn = set
				}
				e.set(number, r)
				plain = append(plain[:number:number], append([]Record{r}, plain[min(number+1, len(plain)):]...)...)
			}
			kept, want = append(kept, e.Records), append(want, plain)
		}
		for i := range kept {
			compareRecords(rt, kept[i], want[i])
			for j := range kept {
				compareRecordsSince(rt, kept[i], kept[j], want[i], want[j])
			}
		}
	})
}

func compareRecords(t *rapid.T, r Records, want []Record) {
	shadows := 0
	for i := 1; i < len(want); i++ {
		if got := r.At(i); got == nil || *got != want[i] {
			t.Fatalf("record %d = %+v, want %+v", i, got, want[i])
		}
		shadows += count(want[i].HasShadow())
	}
	if r.At(0) != nil || r.At(len(want)) != nil || r.End() != len(want) && len(want) > 1 {
		t.Fatalf("records end at %d, want %d", r.End(), len(want))
	}
	if r.Shadows() != shadows {
		t.Fatalf("%d shadows, want %d", r.Shadows(), shadows)
	}
}

func compareRecordsSince(t *rapid.T, r, before Records, now, then []Record) {
	var want []int
	for i := 1; i < max(len(now), len(then)); i++ {
		if i >= len(now) || i >= len(then) || now[i] != then[i] {
			want = append(want, i)
		}
	}
	if got := slices.Collect(r.Since(before)); !slices.Equal(got, want) {
		t.Fatalf("changed records = %v, want %v", got, want)
	}
}
