package policy

import "net/netip"

// Conn is an established connection of this host.
type Conn struct{ Local, Remote netip.AddrPort }

// Cut is a connection that passes, and what would drop it.
type Cut struct {
	Conn     Conn
	Endpoint *Endpoint
	Verdict  Verdict
}
