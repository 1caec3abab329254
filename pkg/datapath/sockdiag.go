package datapath

import (
	"encoding/binary"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The states of a socket, as bits of inetDiag. A UDP socket that is not
// connected is in the kernel's TCP_CLOSE.
const (
	established    = 1 << 1
	udpUnconnected = 1 << 7
	tcpListen      = 1 << 10
)

// inetDiag asks for sockets: struct inet_diag_req_v2.
type inetDiag struct {
	family, protocol uint8
	states           uint32
}

func (inetDiag) Len() int { return 56 }

func (d inetDiag) Serialize() []byte {
	b := make([]byte, d.Len())
	b[0], b[1] = d.family, d.protocol
	binary.NativeEndian.PutUint32(b[4:], d.states)
	return b
}

// socket is one of this network namespace. Its addresses are those on the wire:
// a peer of a dual-stack socket is IPv4 there.
type socket struct {
	local, remote netip.AddrPort
	inode         uint32
	only6         bool
}

// sockets asks for both families, and for those on a local port of a span; no
// spans stand for any port.
func sockets(d inetDiag, on ...span) ([]socket, error) {
	var all []socket
	for _, d.family = range []uint8{unix.AF_INET, unix.AF_INET6} {
		req := nl.NewNetlinkRequest(nl.SOCK_DIAG_BY_FAMILY, unix.NLM_F_DUMP)
		req.AddData(d)
		if len(on) > 0 {
			req.AddData(nl.NewRtAttr(reqBytecode, bytecode(on)))
		}
		err := req.ExecuteIter(unix.NETLINK_INET_DIAG, 0, func(m []byte) bool {
			if s, ok := parseSocket(m); ok {
				all = append(all, s)
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// parseSocket reads struct inet_diag_msg and its attributes.
func parseSocket(m []byte) (s socket, ok bool) {
	const size, localPort, remotePort, local, remote, inode, skV6Only = 72, 4, 6, 8, 24, 68, 11
	if len(m) < size {
		return s, false
	}
	at := func(addr, port int) netip.AddrPort {
		a := netip.AddrFrom4([4]byte(m[addr:]))
		if m[0] == unix.AF_INET6 {
			a = netip.AddrFrom16([16]byte(m[addr:])).Unmap()
		}
		return netip.AddrPortFrom(a, binary.BigEndian.Uint16(m[port:]))
	}
	s.local, s.remote = at(local, localPort), at(remote, remotePort)
	s.inode = binary.NativeEndian.Uint32(m[inode:])
	attrs, err := nl.ParseRouteAttr(m[size:])
	for _, a := range attrs {
		if a.Attr.Type == skV6Only && len(a.Value) > 0 {
			s.only6 = a.Value[0] == 1
		}
	}
	return s, err == nil
}
