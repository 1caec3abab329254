package clientip

import "net/netip"

// ParsePeer reads a socket's peer, "address:port". What a dual-stack socket
// calls ::ffff:a.b.c.d is IPv4 on the wire and is judged as that; a zone says
// which link, not who. A peer without an address is the invalid Addr.
func ParsePeer(remote string) netip.Addr {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}
