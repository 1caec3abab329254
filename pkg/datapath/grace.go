package datapath

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// From linux/membarrier.h; x/sys has the number of the call only.
const (
	membarrierQuery  = 0
	membarrierGlobal = 1
)

// newGrace returns a function that waits until every packet that was being
// judged when it was called has its verdict: an RCU grace period, some 10 ms.
//
// membarrier waits for one and costs nothing else. Where it does not (a kernel
// with nohz_full CPUs refuses), a write to a map of maps does.
func newGrace() (func() error, error) {
	commands, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierQuery, 0, 0)
	if errno == 0 && commands&membarrierGlobal != 0 {
		return membarrierGrace, nil
	}
	return newMapGrace()
}

func membarrierGrace() error {
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierGlobal, 0, 0); errno != 0 {
		return fmt.Errorf("wait for packets in flight: membarrier: %w", errno)
	}
	return nil
}

func newMapGrace() (func() error, error) {
	inner := &ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1}
	m, err := ebpf.NewMap(inner)
	if err != nil {
		return nil, fmt.Errorf("prepare to wait for packets in flight: %w", err)
	}
	outer, err := ebpf.NewMap(&ebpf.MapSpec{
		Type: ebpf.ArrayOfMaps, KeySize: 4, ValueSize: 4, MaxEntries: 1, InnerMap: inner,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare to wait for packets in flight: %w", err), m.Close())
	}
	return func() error {
		if err := outer.Put(uint32(0), m); err != nil {
			return fmt.Errorf("wait for packets in flight: %w", err)
		}
		return nil
	}, nil
}
