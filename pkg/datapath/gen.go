package datapath

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// A generation is pinned in gen-<n>, and current is a symbolic link to the one
// that is enforced. It is pinned in new-<n> first: a name with gen- is complete.
// A start never takes over what the maps of an earlier agent hold; it builds
// anew, moves the links, and then sweeps the earlier one away.
const (
	genPrefix   = "gen-"
	newPrefix   = "new-"
	currentName = "current"
)

// pinGeneration makes g outlive the agent, and makes it current. It returns what
// was current before.
func (d *Datapath) pinGeneration(g *generation) (before string, err error) {
	n, err := d.nextGeneration()
	if err != nil {
		return "", fmt.Errorf("pin the generation: %w", err)
	}
	aside := filepath.Join(d.cfg.PinDir, newPrefix+strconv.Itoa(n))
	dir := filepath.Join(d.cfg.PinDir, genPrefix+strconv.Itoa(n))
	g.dir = aside
	if err := g.pinTo(aside); err != nil {
		return "", fmt.Errorf("pin the generation: %w", err)
	}
	if err := os.Rename(aside, dir); err != nil {
		return "", fmt.Errorf("pin the generation: %w", err)
	}
	g.dir = dir
	before, err = os.Readlink(filepath.Join(d.cfg.PinDir, currentName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("pin the generation: %w", err)
	}
	return before, d.setCurrent(filepath.Base(dir))
}

func (g *generation) pinTo(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for name, m := range g.coll.Maps {
		if strings.HasPrefix(name, ".") {
			continue // constants: the program holds them, and bpffs takes no dots
		}
		if err := m.Pin(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for name, p := range g.coll.Programs {
		if err := p.Pin(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// setCurrent makes the generation of a name current; "" is none.
func (d *Datapath) setCurrent(name string) error {
	current := filepath.Join(d.cfg.PinDir, currentName)
	if name == "" {
		return os.Remove(current)
	}
	aside := filepath.Join(d.cfg.PinDir, newPrefix+currentName)
	err := os.Remove(aside)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make %s current: %w", name, err)
	}
	if err := os.Symlink(name, aside); err != nil {
		return fmt.Errorf("make %s current: %w", name, err)
	}
	if err := os.Rename(aside, current); err != nil {
		return fmt.Errorf("make %s current: %w", name, err)
	}
	return nil
}

// discard ends a generation that nothing is attached to any more, or never was.
// The lists are not its own, and stay.
func (d *Datapath) discard(g *generation) error {
	err := g.close()
	if g.dir != "" {
		err = errors.Join(err, os.RemoveAll(g.dir))
	}
	return err
}

func (d *Datapath) nextGeneration() (int, error) {
	dirs, err := generationDirs(d.cfg.PinDir)
	if err != nil {
		return 0, err
	}
	next := 1
	for _, dir := range dirs {
		next = max(next, generationNumber(dir)+1)
	}
	return next, nil
}

// generationDirs are the generations under a pin directory, complete or not.
func generationDirs(pinDir string) ([]string, error) {
	entries, err := os.ReadDir(pinDir)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, e := range entries {
		if dir := filepath.Join(pinDir, e.Name()); e.IsDir() && generationNumber(dir) > 0 {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

func generationNumber(dir string) int {
	name := filepath.Base(dir)
	digits, ok := strings.CutPrefix(name, genPrefix)
	if !ok {
		digits = strings.TrimPrefix(name, newPrefix)
	}
	n, _ := strconv.Atoi(digits)
	return n
}

// sweep removes the generations of earlier agents that no link runs any more.
// Those of this agent are not looked at: they share the lists that are live.
func (d *Datapath) sweep(ctx context.Context) error {
	running, err := runningPrograms(filepath.Join(d.cfg.PinDir, "links"))
	if err != nil {
		return fmt.Errorf("sweep generations: %w", err)
	}
	var errs []error
	for _, dir := range d.earlier {
		if runs(dir, running) {
			continue
		}
		if err := removeGeneration(ctx, dir); err != nil {
			errs = append(errs, fmt.Errorf("sweep %s: %w", dir, err))
		}
	}
	return errors.Join(errs...)
}

// runningPrograms are the ids of the programs that pinned links run.
func runningPrograms(dir string) (map[ebpf.ProgramID]bool, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	ids := map[ebpf.ProgramID]bool{}
	for _, path := range paths {
		l, err := link.LoadPinnedLink(path, nil)
		if err != nil {
			return nil, err
		}
		info, err := l.Info()
		l.Close()
		if err != nil {
			return nil, err
		}
		ids[info.Program] = true
	}
	return ids, nil
}

// runs reports whether one of the programs pinned in dir is among ids, or may be.
func runs(dir string, ids map[ebpf.ProgramID]bool) bool {
	for _, name := range []string{bpfProgPostern, bpfProgPosternPlain} {
		p, err := ebpf.LoadPinnedProgram(filepath.Join(dir, name), nil)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return true
		}
		info, err := p.Info()
		p.Close()
		if err != nil {
			return true
		}
		if id, ok := info.ID(); !ok || ids[id] {
			return true
		}
	}
	return false
}

// removeGeneration drains a generation's lists and then lets go of it.
func removeGeneration(ctx context.Context, dir string) error {
	if err := drainPinned[bpfKey4](ctx, filepath.Join(dir, bpfMapLists4)); err != nil {
		return err
	}
	if err := drainPinned[bpfKey6](ctx, filepath.Join(dir, bpfMapLists6)); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

func drainPinned[K key](ctx context.Context, path string) error {
	m, err := ebpf.LoadPinnedMap(path, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer m.Close()
	return drain[K](ctx, m)
}
