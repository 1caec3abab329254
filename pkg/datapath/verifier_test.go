package datapath

import (
	"maps"
	"slices"
	"testing"
)

// TestVerifier keeps every program far under the million instructions that the
// verifier walks before it gives up. How many it walks differs from kernel to
// kernel; scripts/kernels reads the numbers from the log.
func TestVerifier(t *testing.T) {
	const most = 250_000
	d := newDatapath(t)
	enforce(t, d, guarded())
	programs := d.gen.coll.Programs
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		info, err := programs[name].Info()
		if err != nil {
			t.Fatal(err)
		}
		translated, err := info.TranslatedSize()
		if err != nil {
			t.Fatal(err)
		}
		walked, known := info.VerifiedInstructions()
		if !known {
			t.Logf("%s: %d bytes translated; the kernel does not tell what was verified", name, translated)
			continue
		}
		t.Logf("%s: %d insns verified, %d bytes translated", name, walked, translated)
		if walked > most {
			t.Errorf("%s: %d insns verified, want at most %d", name, walked, most)
		}
	}
}
