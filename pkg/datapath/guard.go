package datapath

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
)

// guard is one interface that was named.
type guard struct {
	Interface
	on     *attachment // nil: not attached
	seen   time.Time   // when it was first seen there without being attached
	follow bool        // it came while we watched, so seen says the gap
}

// settle brings g to where the interface of its name is now. The error is also
// g's, for status.
func (l *links) settle(ctx context.Context, g *guard) error {
	dev, err := netlink.LinkByName(g.Name)
	switch {
	case errors.As(err, &netlink.LinkNotFoundError{}):
		g.Err = l.absent(g)
	case err != nil:
		g.Err = err
	case g.on != nil && g.Index == dev.Attrs().Index && g.on.alive():
		g.Err = nil
	default:
		g.Err = l.guard(ctx, g, dev)
	}
	return g.Err
}

// absent is for a name that no interface has. One that was merely renamed is
// guarded on: whoever wants that ended names other interfaces.
func (l *links) absent(g *guard) error {
	if g.on != nil && g.on.alive() {
		if dev, err := netlink.LinkByIndex(g.Index); err == nil {
			return fmt.Errorf("renamed to %s, and guarded there", dev.Attrs().Name)
		}
	}
	g.Interface = Interface{Name: g.Name}
	g.seen = time.Time{}
	return errors.Join(l.drop(g), errAbsent)
}

// guard attaches to dev, or takes over what is attached there.
func (l *links) guard(ctx context.Context, g *guard, dev netlink.Link) error {
	index := dev.Attrs().Index
	if g.seen.IsZero() || g.Index != index {
		g.seen = time.Now()
	}
	g.Interface = Interface{Name: g.Name, Index: index}
	if err := l.drop(g); err != nil {
		return err
	}
	path, err := l.pin(index)
	if err != nil {
		return err
	}
	on, err := openAttachment(path)
	if err != nil {
		return err
	}
	if on != nil {
		err = on.update(l.programs)
		on.mode = attachedMode(dev)
	} else {
		on, err = l.attach(ctx, dev, path)
	}
	if err != nil {
		return err
	}
	g.on = on
	g.Mode, g.Why, g.Since = on.mode, on.why, on.since()
	if g.follow {
		g.Gap = time.Since(g.seen)
	}
	l.log.Info("interface guarded", "interface", g.Name, "index", index, "mode", g.Mode, "why", g.Why, "gap", g.Gap)
	return nil
}

func (l *links) attach(ctx context.Context, dev netlink.Link, path string) (*attachment, error) {
	if err := guardable(dev); err != nil {
		return nil, err
	}
	on, err := newAttachment(ctx, l.programs, l.ways, dev.Attrs().Index, path)
	if err == nil || !busy(err) {
		return on, err
	}
	// Asked again: what was there a moment ago may have been our own, leaving.
	if dev, lookErr := netlink.LinkByIndex(dev.Attrs().Index); lookErr == nil {
		if who := occupant(dev); who != "" {
			return nil, fmt.Errorf("%s is there, and is not replaced; take it off or leave %s out", who, dev.Attrs().Name)
		}
	}
	return nil, fmt.Errorf("%w (a device above may have an XDP program)", cause(err))
}

// drop ends what g has, if anything.
func (l *links) drop(g *guard) error {
	if g.on == nil {
		return nil
	}
	on := g.on
	g.on = nil
	return on.remove()
}
