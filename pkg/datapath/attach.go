package datapath

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Attach puts the program on the interfaces named, and takes it off those that an
// earlier agent guarded and that are named no more. An interface that is not
// there is not an error: Follow guards it when it comes. Apply comes first: from
// here on packets are judged.
func (d *Datapath) Attach(ctx context.Context, names []string) error {
	err := d.links.attachAll(ctx, names)
	d.background.Go(func() {
		if err := d.sweep(d.closing); err != nil && d.closing.Err() == nil {
			d.cfg.Log.Error("what an earlier agent left is not cleared away", "err", err)
		}
	})
	return err
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
	l.forget()
	var errs []error
	for _, name := range names {
		g := &guard{Interface: Interface{Name: name}}
		l.guards = append(l.guards, g)
		if err := l.settle(ctx, g); err != nil && !errors.Is(err, errAbsent) {
			errs = append(errs, fmt.Errorf("attach to %s: %w", name, err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...) // what seems a stray may be one of those
	}
	return l.dropStrays()
}

// release lets go of the interfaces. Their links are pinned and stay.
func (l *links) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
}

func (l *links) forget() {
	for _, g := range l.guards {
		if g.on != nil {
			g.on.link.Close()
		}
	}
	l.guards = nil
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
