package datapath

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
)

// Released is an interface that Detach took the program off.
type Released struct {
	Name  string // "" where it is in another network namespace
	Index int
	NetNS uint64 // inode number
}

// Detach ends enforcement: it takes the program off every interface that has it
// by cfg's pin directory, whatever the namespace, and lets go of what the program
// used. It refuses while an agent runs, which would only attach again.
func Detach(cfg Config) ([]Released, error) {
	cfg = cfg.withDefaults()
	if _, err := os.Stat(cfg.PinDir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if on, err := isBPFFS(cfg.PinDir); err != nil || !on {
		return nil, cmp.Or(err, fmt.Errorf("detach: %s is not on a bpffs, so nothing is pinned there", cfg.PinDir))
	}
	pins, err := lock(cfg.PinDir)
	if err != nil {
		return nil, fmt.Errorf("detach: %w", err)
	}
	defer pins.Close()
	released, err := releaseLinks(filepath.Join(cfg.PinDir, "links"))
	if err != nil {
		return released, fmt.Errorf("detach: %w", err)
	}
	return released, removePins(cfg.PinDir)
}

func releaseLinks(dir string) ([]Released, error) {
	ns, err := netnsInode()
	if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	var (
		released []Released
		errs     []error
	)
	for _, path := range paths {
		a, err := openAttachment(path)
		if err == nil && a != nil {
			err = a.remove()
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if a == nil {
			continue // its device has gone
		}
		in, index, _ := parsePin(path)
		r := Released{Index: index, NetNS: in}
		if dev, err := netlink.LinkByIndex(index); err == nil && in == ns {
			r.Name = dev.Attrs().Name
		}
		released = append(released, r)
	}
	return released, errors.Join(errs...)
}

// removePins empties dir of what we pin but leaves it, since its lock is ours.
func removePins(dir string) error {
	generations, err := generationDirs(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, gen := range generations {
		errs = append(errs, removeGeneration(context.Background(), gen))
	}
	for _, name := range []string{"links", currentName, newPrefix + currentName} {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, name)))
	}
	return errors.Join(errs...)
}
