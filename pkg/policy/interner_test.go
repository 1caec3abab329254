package policy

import (
	"runtime"
	"testing"
	"weak"
)

// TestInternerForgets interns more sets than it sweeps at, of which one lives.
func TestInternerForgets(t *testing.T) {
	var in interner
	one := func(end uint32) Set { return Set{V4: newFamilySet(true, []uint32{end})} }
	lives := in.intern(one(0))
	for end := range uint32(2000) {
		in.intern(one(end))
	}
	runtime.GC()
	in.sweep()
	if len(in.sets) != 1 {
		t.Errorf("%d sets are kept, want 1", len(in.sets))
	}
	if again := in.intern(one(0)); again != lives {
		t.Errorf("the set that lives was forgotten")
	}
	runtime.KeepAlive(lives)
}

// TestInternerComparesSets lets a set be found under another's hash.
func TestInternerComparesSets(t *testing.T) {
	var in interner
	one, other := Set{V4: newFamilySet(true, []uint32{1})}, Set{V4: newFamilySet(true, []uint32{2})}
	kept := in.intern(one)
	in.sets[in.hash(&other)] = weak.Make(kept)
	if got := in.intern(other); !got.equal(&other) {
		t.Errorf("intern(%+v) = %+v", other, got)
	}
	runtime.KeepAlive(kept)
}
