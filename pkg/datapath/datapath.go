// Package datapath enforces a policy.Plan in the kernel: it loads the XDP
// program, fills its maps, publishes one revision after another and counts what
// became of the packets.
//
// A revision is in force whole or not at all. It is written beside the one that
// is live, every new list is probed against the set it came from, and one
// 8-byte store publishes it. What is enforced is pinned, and outlives the
// process that wrote it.
package datapath

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"

	"github.com/postern-io/postern/pkg/policy"
)

// Config is how a Datapath is set up. The zero Config is the usual one.
type Config struct {
	PinDir string // a directory on bpffs; "": /sys/fs/bpf/postern
	// MaxIndexBytes is how large the range index may become. The tries answer for
	// lists beyond it. 0: 256 MiB; negative: none, the tries answer for all.
	MaxIndexBytes int
	MaxPrefixes   int          // in the tries, all lists together; 0: 4,194,304
	Log           *slog.Logger // nil: silent
}

// Programs are one program in two forms. They share every map.
type Programs struct {
	Frags *ebpf.Program // takes frames of several buffers; nil where the kernel has none
	Plain *ebpf.Program
}

// Datapath is the kernel side of one agent. Its methods may be called from
// several goroutines; one Apply runs at a time.
type Datapath struct {
	cfg   Config
	pins  *os.File // the pin directory; its lock is ours while it is open
	links *links
	// earlier are the generations that were pinned when this agent began.
	earlier []string
	// onProgram moves what is attached to the programs of a new generation, all
	// of it or none.
	onProgram func(Programs) error
	grace     func() error // waits for the packets being judged

	loader *loader
	names  *names

	mu       sync.Mutex   // of one Apply, and of what it changes:
	gen      *generation  // nil before the first
	plan     *policy.Plan // what gen enforces
	places   *places      // of the plan given last, in force or not
	settling *settling    // nil: the idle bank has no reader

	published atomic.Pointer[published]

	background sync.WaitGroup
	closing    context.Context // ends what is in background
	close      context.CancelFunc
}

// New prepares a datapath and takes its pin directory for this process. No
// program is loaded before the first Apply.
func New(cfg Config) (*Datapath, error) {
	cfg = cfg.withDefaults()
	pins, err := openPins(cfg.PinDir)
	if err != nil {
		return nil, err
	}
	earlier, err := generationDirs(cfg.PinDir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("look for earlier generations: %w", err), pins.Close())
	}
	loader, err := newLoader(cfg.MaxPrefixes)
	if err != nil {
		return nil, errors.Join(err, pins.Close())
	}
	grace, err := newGrace()
	if err != nil {
		return nil, errors.Join(err, loader.close(), pins.Close())
	}
	links := newLinks(cfg.PinDir, cfg.Log)
	d := &Datapath{
		cfg: cfg, pins: pins, links: links, earlier: earlier, onProgram: links.setPrograms, grace: grace,
		loader: loader, names: newNames(), plan: &policy.Plan{}, places: layOut(nil),
	}
	d.closing, d.close = context.WithCancel(context.Background())
	return d, nil
}

func (cfg Config) withDefaults() Config {
	if cfg.PinDir == "" {
		cfg.PinDir = "/sys/fs/bpf/postern"
	}
	if cfg.MaxPrefixes == 0 {
		cfg.MaxPrefixes = 1 << 22
	}
	if cfg.MaxIndexBytes == 0 {
		cfg.MaxIndexBytes = 256 << 20
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// Program returns the programs to attach; their fields are nil before the first
// Apply.
func (d *Datapath) Program() Programs {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gen == nil {
		return Programs{}
	}
	return d.gen.programs()
}

// Close releases the agent's hold. What is attached goes on enforcing.
func (d *Datapath) Close() error {
	if d.closing.Err() != nil {
		return nil // it was closed before
	}
	d.close()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.background.Wait()
	var err error
	if d.gen != nil {
		err = d.gen.close()
		d.gen = nil
	}
	d.links.release()
	return errors.Join(err, d.loader.close(), d.pins.Close())
}
