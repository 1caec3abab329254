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
	"log/slog"
	"os"
	"sync"

	"github.com/cilium/ebpf"

	"github.com/postern-io/postern/pkg/policy"
)

// Config is how a Datapath is set up. The zero Config is the usual one.
type Config struct {
	PinDir      string       // a directory on bpffs; "": /sys/fs/bpf/postern
	MaxPrefixes int          // in all lists together; 0: 4,194,304
	Log         *slog.Logger // nil: silent
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
	// onProgram moves what is attached to the programs of a new generation, all
	// of it or none.
	onProgram func(Programs) error

	mu sync.Mutex
}

// New prepares a datapath and takes its pin directory for this process. Nothing
// is loaded before the first Apply.
func New(cfg Config) (*Datapath, error) {
	cfg = cfg.withDefaults()
	pins, err := openPins(cfg.PinDir)
	if err != nil {
		return nil, err
	}
	links := newLinks(cfg.PinDir, cfg.Log)
	return &Datapath{cfg: cfg, pins: pins, links: links, onProgram: links.setPrograms}, nil
}

func (cfg Config) withDefaults() Config {
	if cfg.PinDir == "" {
		cfg.PinDir = "/sys/fs/bpf/postern"
	}
	if cfg.MaxPrefixes == 0 {
		cfg.MaxPrefixes = 1 << 22
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// Apply puts p in force. On an error the last good revision stays as it is.
func (d *Datapath) Apply(ctx context.Context, p *policy.Plan) error {
	return errors.New("apply revision: not built yet")
}

// Program returns the programs to attach; their fields are nil before the first
// Apply.
func (d *Datapath) Program() Programs { return Programs{} }

// Counters reads what became of the packets since the agent started.
func (d *Datapath) Counters() (Counters, error) { return Counters{}, nil }

// Events calls f for each refused packet that is reported, until ctx is done.
func (d *Datapath) Events(ctx context.Context, f func(Event)) error { return nil }

// Usage is how full the kernel's maps are.
func (d *Datapath) Usage() Usage { return Usage{} }

// Close releases the agent's hold. What is attached goes on enforcing.
func (d *Datapath) Close() error { return d.pins.Close() }
