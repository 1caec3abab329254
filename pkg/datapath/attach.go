package datapath

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

// Attach puts the program on the interfaces named, and takes it off those that an
// earlier agent guarded and that are named no more. An interface that is not
// there is not an error: Follow guards it when it comes. Apply comes first: from
// here on packets are judged.
func (d *Datapath) Attach(ctx context.Context, names []string) error {
	return d.links.attachAll(ctx, names)
}

// Follow keeps to the interfaces that Attach was given as they come, go and come
// back, until ctx ends. It works in the network namespace of its goroutine.
func (d *Datapath) Follow(ctx context.Context) error { return d.links.follow(ctx) }

// Interfaces says how each interface that was named stands.
func (d *Datapath) Interfaces() []Interface { return d.links.interfaces() }

// links keeps the program on the interfaces that were named. Everything that
// attaches runs in the network namespace of the goroutine that calls.
type links struct {
	dir  string // where links are pinned
	log  *slog.Logger
	ways []way

	mu       sync.Mutex
	programs Programs
	guards   []*guard
}

// guard is one interface that was named.
type guard struct {
	Interface
	on     *attachment // nil: not attached
	seen   time.Time   // when it was first seen there without being attached
	follow bool        // it came while we watched, so seen says the gap
}

func newLinks(pinDir string, log *slog.Logger) *links {
	return &links{dir: filepath.Join(pinDir, "links"), log: log, ways: ways}
}

func (l *links) attachAll(ctx context.Context, names []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.programs.Plain == nil {
		return errors.New("attach: no revision was applied yet")
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	l.guards = nil
	var errs []error
	for _, name := range names {
		g := &guard{Interface: Interface{Name: name}}
		l.guards = append(l.guards, g)
		if err := l.settle(ctx, g); err != nil && !errors.Is(err, errAbsent) {
			errs = append(errs, fmt.Errorf("attach to %s: %w", name, err))
		}
	}
	return errors.Join(append(errs, l.dropStrays())...)
}

func (l *links) interfaces() []Interface {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Interface, len(l.guards))
	for i, g := range l.guards {
		all[i] = g.Interface
	}
	return all
}

// setPrograms moves every interface to p, or, where one cannot follow, none.
func (l *links) setPrograms(p Programs) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var moved []*guard
	for _, g := range l.guards {
		if g.on == nil {
			continue
		}
		err := g.on.update(p)
		if err == nil {
			moved = append(moved, g)
			continue
		}
		if !g.on.alive() {
			continue // its device has gone; Follow will hear of it
		}
		errs := []error{fmt.Errorf("%s: %w", g.Name, err)}
		for _, g := range moved {
			if err := g.on.update(l.programs); err != nil {
				errs = append(errs, fmt.Errorf("%s: back: %w", g.Name, err))
			}
		}
		return errors.Join(errs...)
	}
	l.programs = p
	return nil
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

// dropStrays takes the program off interfaces of this namespace that are not
// named any more, and clears away the remains of devices that have gone. Links of
// other namespaces are not ours to judge.
func (l *links) dropStrays() error {
	paths, err := filepath.Glob(filepath.Join(l.dir, "*"))
	if err != nil {
		return err
	}
	ns, err := netnsInode()
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range paths {
		in, index, _ := parsePin(path)
		named := slices.ContainsFunc(l.guards, func(g *guard) bool { return g.Index == index })
		stray, err := openAttachment(path)
		switch {
		case err != nil:
			errs = append(errs, err)
		case stray == nil:
		case in != ns || named:
			stray.link.Close()
		default:
			errs = append(errs, stray.remove())
			l.log.Info("interface released: it is named no more", "index", index)
		}
	}
	return errors.Join(errs...)
}

// pin is where the link of an interface of this namespace is pinned. Interface
// numbers mean nothing without their namespace.
func (l *links) pin(index int) (string, error) {
	ns, err := netnsInode()
	if err != nil {
		return "", err
	}
	return filepath.Join(l.dir, fmt.Sprintf("%d-%d", ns, index)), nil
}

func parsePin(path string) (ns uint64, index int, ok bool) {
	left, right, _ := strings.Cut(filepath.Base(path), "-")
	ns, err := strconv.ParseUint(left, 10, 64)
	index, err2 := strconv.Atoi(right)
	return ns, index, err == nil && err2 == nil
}

// netnsInode identifies the network namespace of this thread.
func netnsInode() (uint64, error) {
	var stat syscall.Stat_t
	if err := syscall.Stat("/proc/thread-self/ns/net", &stat); err != nil {
		return 0, fmt.Errorf("identify the network namespace: %w", err)
	}
	return stat.Ino, nil
}
