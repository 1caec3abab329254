package datapath

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// Sight is a source whose packet an endpoint let pass, by its lists or because
// its mode is off.
type Sight struct {
	Time     time.Time
	Endpoint string
	Source   netip.Addr
}

// sightsPace is how often sights are fetched. Nobody waits for them, and to be
// woken for each would cost more than to read it.
const sightsPace = 100 * time.Millisecond

// Sights calls f for the sources that pass, until ctx is done. It is a sample:
// of what opens a TCP connection all, and of other packets one a jiffy for each
// endpoint, as far as each CPU's limit allows.
func (d *Datapath) Sights(ctx context.Context, f func(Sight)) error {
	err := readRing(ctx, d.loader.shared[bpfMapSights], sightsPace, func(raw *bpfSight) {
		f(Sight{time.Now(), d.names.name(raw.Number), addressOf(raw.Src, raw.Version)})
	})
	if err != nil {
		return fmt.Errorf("read who passes: %w", err)
	}
	return nil
}
