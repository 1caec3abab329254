package datapath

import (
	"net/netip"
	"time"
)

// Event tells of one refused packet, and of how many it stands for.
type Event struct {
	Time        time.Time
	Reason      Reason
	WouldDrop   bool   // monitor let it through
	Interface   int    // ifindex
	Endpoint    string // name; "" where none took part
	Protocol    uint8  // IP protocol
	Source      netip.AddrPort
	Destination netip.AddrPort
	Suppressed  uint64 // refusals on the same CPU since its last event
}
