package main

import (
	"path/filepath"

	"github.com/cilium/ebpf"

	"github.com/postern-io/postern/pkg/testenv"
)

// programs tells how large the programs are, and how many instructions the
// verifier had to follow.
func (b *bench) programs() {
	b.act(func(b *bench) {
		pins := filepath.Join(testenv.BPFFS(b), "postern")
		b.Check(b.posternAt(byIndex, pins).Apply(b.Context(), b.compile(classState()).Plan))
		paths, err := filepath.Glob(filepath.Join(pins, "current", "postern*"))
		b.Check(err)
		for _, path := range paths {
			b.describe(path)
		}
	})
}

func (b *bench) describe(path string) {
	prog, err := ebpf.LoadPinnedProgram(path, nil)
	b.Check(err)
	defer prog.Close()
	info, err := prog.Info()
	b.Check(err)
	name := filepath.Base(path)
	if n, ok := info.VerifiedInstructions(); ok {
		b.add("programs", name, 0, "verified insns", once(float64(n)))
	}
	n, err := info.TranslatedSize()
	b.Check(err)
	b.add("programs", name, 0, "translated, bytes", once(float64(n)))
	jited, err := info.JitedSize()
	b.Check(err)
	b.add("programs", name, 0, "JITed, bytes", once(float64(jited)))
}
