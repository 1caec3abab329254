package datapath

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/postern-io/postern/pkg/policy"
)

// Connections are the established TCP connections to these ports of this network
// namespace. Half-open ones are not among them: anybody can make those, in
// anybody's name.
func Connections(ports []uint16) ([]policy.Conn, error) {
	var conns []policy.Conn
	for _, port := range ports {
		open, err := sockets(inetDiag{protocol: unix.IPPROTO_TCP, states: established, port: port})
		if err != nil {
			return nil, fmt.Errorf("read connections to port %d: %w", port, err)
		}
		for _, s := range open {
			conns = append(conns, policy.Conn{Local: s.local, Remote: s.remote})
		}
	}
	return conns, nil
}
