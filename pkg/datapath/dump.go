package datapath

import (
	"errors"

	"github.com/vishvananda/netlink"
)

// whole repeats a dump that something changed under: the kernel says so, and what
// it gave may lack what was there all along.
func whole[T any](dump func() (T, error)) (T, error) {
	for range 20 {
		all, err := dump()
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return all, err
		}
	}
	return dump()
}
