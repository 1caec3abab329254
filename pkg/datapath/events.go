package datapath

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/cilium/ebpf/ringbuf"
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
	r, err := ringbuf.NewReader(d.loader.shared[bpfMapEvents])
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { r.Close() })
	defer func() {
		if stop() {
			r.Close()
		}
	}()
	for {
		record, err := r.Read()
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		var raw bpfEvent
		if _, err := binary.Decode(record.RawSample, binary.LittleEndian, &raw); err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		f(d.event(&raw))
	}
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
		family := v6
		if raw.Version == 4 {
			family = v4
		}
		e.Source = netip.AddrPortFrom(addrOf(raw.Src, family), raw.Sport)
		e.Destination = netip.AddrPortFrom(addrOf(raw.Dst, family), raw.Dport)
	}
	return e
}
