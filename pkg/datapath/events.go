package datapath

import (
	"context"
	"fmt"
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

// Events calls f for each refusal that the kernel tells of, until ctx is done.
// How many it tells of a second is limited on each CPU; Suppressed says what is
// missing.
func (d *Datapath) Events(ctx context.Context, f func(Event)) error {
	err := readRing(ctx, d.loader.shared[bpfMapEvents], 0, func(raw *bpfEvent) { f(d.event(raw)) })
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	return nil
}

func (d *Datapath) event(raw *bpfEvent) Event {
	e := Event{
		Time:       time.Now(),
		Reason:     Reason(raw.Reason),
		WouldDrop:  raw.Would != 0,
		Interface:  int(raw.Ifindex),
		Endpoint:   d.names.name(raw.Number),
		Protocol:   raw.Protocol,
		Suppressed: raw.Suppressed,
	}
	if raw.Version != 0 {
		e.Source = netip.AddrPortFrom(addressOf(raw.Src, raw.Version), raw.Sport)
		e.Destination = netip.AddrPortFrom(addressOf(raw.Dst, raw.Version), raw.Dport)
	}
	return e
}

// addressOf is an address of an IP packet.
func addressOf(w [2]uint64, version uint8) netip.Addr {
	if version == 4 {
		return addrOf(w, v4)
	}
	return addrOf(w, v6)
}
