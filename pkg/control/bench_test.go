package control

import (
	"fmt"
	"testing"

	"github.com/postern-io/postern/pkg/policy"
)

// BenchmarkAddOne adds one entry to a list, and takes it out again: what a write
// costs beside kernel and disk.
func BenchmarkAddOne(b *testing.B) {
	for _, size := range []int{10, 1_000, 9_990} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := acme()
			texts := make([]string, size)
			for i := range texts {
				texts[i] = fmt.Sprintf("10.%d.%d.0/24", i>>8, i&255)
			}
			s.System["dataAccess"] = &policy.List{Entries: entries(texts...)}
			w := newWorld(b, s)
			at, one := place("system/dataAccess"), entries("192.0.2.1")
			for b.Loop() {
				for _, change := range []Change{Add(at, one...), Remove(at, Which{Range: one[0].Range})} {
					if _, err := w.Write(b.Context(), root(), change); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
