package datapath

import (
	"fmt"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// view maps the memory of an array whose value is a T. Writing an element costs
// a store and no system call; what the kernel reads of it, and when, is the
// writer's care.
func view[T any](m *ebpf.Map) ([]T, error) {
	var elem T
	n := int(m.MaxEntries())
	mem, err := unix.Mmap(m.FD(), 0, n*int(unsafe.Sizeof(elem)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the memory of %v: %w", m, err)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&mem[0])), n), nil
}

// unview ends a view; nil is no view.
func unview[T any](v []T) error {
	if v == nil {
		return nil
	}
	var elem T
	return unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), len(v)*int(unsafe.Sizeof(elem))))
}

// half is one bank's half of an array that holds everything twice.
func half[T any](v []T, bank int) []T {
	n := len(v) / 2
	return v[bank*n : (bank+1)*n]
}
