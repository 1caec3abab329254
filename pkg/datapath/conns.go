package datapath

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/postern-io/postern/pkg/policy"
)

// Connections are the established TCP connections to these ports of this network
// namespace. Half-open ones are not among them: anybody can make those, in
// anybody's name.
//
// The kernel walks all its sockets for each question, however few it gives, and
// gives them at a cost: it is asked once for all the ports, and picks.
func Connections(ports []uint16) ([]policy.Conn, error) {
	if len(ports) == 0 {
		return nil, nil
	}
	ports = slices.Compact(slices.Sorted(slices.Values(ports)))
	open, err := sockets(inetDiag{protocol: unix.IPPROTO_TCP, states: established}, spans(ports)...)
	if err != nil {
		return nil, fmt.Errorf("read connections to %d ports: %w", len(ports), err)
	}
	var conns []policy.Conn
	for _, s := range open {
		if _, asked := slices.BinarySearch(ports, s.local.Port()); asked {
			conns = append(conns, policy.Conn{Local: s.local, Remote: s.remote})
		}
	}
	return conns, nil
}
