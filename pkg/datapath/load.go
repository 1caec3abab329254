package datapath

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	kernel "github.com/cilium/ebpf/features"
)

// The blocks keep the order of the source: clang would turn a loop's head around
// so that its back edge falls through, which the verifier of Linux 6.1 refuses.
//
//go:generate go tool bpf2go -cc clang-14 -target bpfel -type event -type sight -type reason -type kind -type record -cflags "-O2 -g -mcpu=v3 -mllvm -disable-block-placement -Wall -Wextra -Werror -Wno-unused-parameter -I/usr/include/x86_64-linux-gnu -I/usr/include/aarch64-linux-gnu" bpf ../../bpf/postern.c

// loader makes generations. The maps in shared belong to all of them: what they
// hold does not depend on how many records there is room for.
type loader struct {
	spec   *ebpf.CollectionSpec
	shared map[string]*ebpf.Map
	tries  *tries
}

func newLoader(maxPrefixes int) (*loader, error) {
	spec, err := loadBpf()
	if err != nil {
		return nil, fmt.Errorf("read the program: %w", err)
	}
	// Frames of several buffers came with this helper, in 5.18.
	if err := kernel.HaveProgramHelper(ebpf.XDP, asm.FnXdpGetBuffLen); err != nil {
		delete(spec.Programs, bpfProgPostern)
	}
	l := &loader{spec: spec, shared: map[string]*ebpf.Map{}}
	for _, name := range []string{bpfMapLists4, bpfMapLists6, bpfMapReasons, bpfMapSlots, bpfMapLimits, bpfMapEvents, bpfMapSights} {
		if l.shared[name], err = ebpf.NewMap(spec.Maps[name]); err != nil {
			return nil, errors.Join(fmt.Errorf("create map %s: %w", name, err), l.close())
		}
	}
	l.tries = newTries(l.shared[bpfMapLists4], l.shared[bpfMapLists6], maxPrefixes)
	return l, nil
}

func (l *loader) close() error {
	var errs []error
	for _, m := range l.shared {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// load makes a generation with room for size, its banks empty.
func (l *loader) load(size layout) (*generation, error) {
	spec := l.spec.Copy()
	for _, array := range []struct {
		name, capacity string
		n              int
	}{
		{bpfMapRecords, bpfVarRecordsCap, size.records},
		{bpfMapClasses, bpfVarClassesCap, size.classes},
		{bpfMapFailsafes, bpfVarFailsafesCap, size.failsafes},
		{bpfMapExact, bpfVarExactCap, size.exact},
	} {
		spec.Maps[array.name].MaxEntries = 2 * uint32(array.n)
		if err := spec.Variables[array.capacity].Set(uint32(array.n)); err != nil {
			return nil, fmt.Errorf("set %s: %w", array.capacity, err)
		}
	}
	spec.Maps[bpfMapNodes].MaxEntries = uint32(max(size.nodes, 1))
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: l.shared})
	if err != nil {
		return nil, fmt.Errorf("load the program: %w", err)
	}
	g := &generation{layout: size, coll: coll}
	if err := g.open(); err != nil {
		return nil, errors.Join(err, g.close())
	}
	g.lists = newLists(l.tries, g.nodes[:size.nodes])
	return g, nil
}
