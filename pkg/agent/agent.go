// Package agent is the loop that keeps a host at what its files say: it reads
// them, compiles a revision, has the kernel and the gate enforce it, and keeps
// it to start from.
//
// Enforcement moves from one whole revision to the next or stays where it is.
// Files with a mistake change nothing; a file that is gone leaves its lists in
// force until somebody says otherwise; what cannot be read at a start is taken
// from the last revision kept, and where there is none, nobody is admitted.
package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/policy"
)

// Datapath enforces in the kernel.
type Datapath interface {
	// Apply puts a plan in force, whole or not at all.
	Apply(context.Context, *policy.Plan) error
	// Attach guards these interfaces and no others. Apply comes first.
	Attach(ctx context.Context, interfaces []string) error
}

// Gate enforces on requests.
type Gate interface {
	// Set puts a table in force; nil says that no policy can be had. An error is
	// about a listener: the table is in force all the same.
	Set(*policy.Table) error
}

// Snapshot keeps the revision last in force, and the latest time seen.
type Snapshot interface {
	Revision() *policy.Revision // as last saved; nil: none
	Latest() time.Time
	Save(rev *policy.Revision, now time.Time) error
	Record(now time.Time) error
	Close() error
}

// Store keeps what people wrote: their records, and every revision since.
type Store interface {
	ID() string
	Number() uint64 // of the last revision
	Load() (policy.Image, error)
	// Commit keeps a revision and the records as they are after it, or nothing.
	Commit(c *policy.Commit, after policy.Image, note audit.Note) error
	Settle(revision uint64, o policy.Outcome, note audit.Note) error
	Pending() ([]*policy.Commit, error)
	Close() error
}

// Journal writes down every change. It calls commit with the line that is to be
// kept together with the change.
type Journal interface {
	Change(c *policy.Commit, before, after policy.Image, commit func(audit.Note) error) error
}

// Config is what an Agent works with.
type Config struct {
	File         string // postern.yaml
	StorePath    string // goes before the one File names; "": File's
	OpenSnapshot func(dir string) (Snapshot, error)
	// OpenStore opens what people write to and where that is written down; nil:
	// nothing can be written but in files.
	//
	// Its error is ErrNothingWritten where nothing can have been written yet.
	OpenStore func(dir string, s Settings) (Store, Journal, error)
	Datapath  Datapath
	Gate      Gate
	// WatchHost tells of the host's addresses, at once and whenever they change,
	// until its context ends.
	WatchHost func(ctx context.Context, changed func(policy.Host)) error
	// Connections are those that nothing may cut unasked, of the ports that are
	// guarded; nil: none are known.
	Connections func(guarded func(port uint16) bool) ([]policy.Conn, error)
	Log         *slog.Logger     // nil: silent
	Now         func() time.Time // nil: time.Now
}

// ErrNothingWritten says that there never was a store: nobody has written what is
// now unknown.
var ErrNothingWritten = errors.New("there is no store yet")

// Agent is one host's agent. Its methods are safe for use by many at once.
type Agent struct {
	loop    *loop
	jobs    chan func(context.Context, *loop)
	stopped chan struct{}
	view    atomic.Pointer[view]
}

// view is what others see between two steps of the loop.
type view struct {
	status Status
	table  *policy.Table
}

// New reads the files and opens the store. It is an error when neither has
// anything to run with.
func New(cfg Config) (*Agent, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	a := &Agent{jobs: make(chan func(context.Context, *loop)), stopped: make(chan struct{})}
	l := &loop{cfg: cfg, publish: func(v *view) { a.view.Store(v) }}
	a.loop = l
	l.reading = read(cfg.File)
	l.openSnapshot()
	if err := l.chooseSettings(); err != nil {
		return nil, errors.Join(err, l.snapshotErr)
	}
	l.openStore()
	l.show()
	return a, nil
}

// Settings are what the agent started with: the file's, else the store's.
func (a *Agent) Settings() Settings { return a.loop.settings }

// Status is how the agent stands.
func (a *Agent) Status() Status { return a.view.Load().status }

// Table is the policy in force; nil before there is one.
func (a *Agent) Table() *policy.Table { return a.view.Load().table }

// Revision is the number of what is in force, and whether this agent enforces it.
func (a *Agent) Revision() (number uint64, enforced bool) {
	s := a.Status()
	return s.Revision, s.Revision != 0
}

// StoreErr is why there is no store to write to; nil where there is one.
func (a *Agent) StoreErr() error { return a.loop.storeErr }

// Run enforces until ctx ends, and leaves the kernel as it is then. It is called
// once.
func (a *Agent) Run(ctx context.Context) error {
	defer close(a.stopped)
	defer a.loop.close()
	files, err := newWatcher(a.loop.cfg.File)
	if err != nil {
		return err
	}
	a.loop.files = files
	hosts := make(chan policy.Host)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return files.run(ctx) })
	g.Go(func() error { a.loop.scribe.run(ctx); return nil })
	g.Go(func() error {
		return a.loop.cfg.WatchHost(ctx, func(h policy.Host) {
			select {
			case hosts <- h:
			case <-ctx.Done():
			}
		})
	})
	g.Go(func() error { return a.loop.run(ctx, hosts, a.jobs) })
	return g.Wait()
}

// do runs job between two steps of the loop.
func (a *Agent) do(ctx context.Context, job func(context.Context, *loop)) error {
	done := make(chan struct{})
	select {
	case a.jobs <- func(ctx context.Context, l *loop) { defer close(done); job(ctx, l) }:
		<-done
		return nil
	case <-a.stopped:
		return errors.New("the agent is stopping")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Settings are what the agent runs with beside the policy. They are kept with
// every revision, so that it can start without its file.
type Settings struct {
	Interfaces    []string   `json:"interfaces"`
	ListDirs      []string   `json:"listDirs"`
	API           config.API `json:"api"`
	MetricsListen string     `json:"metricsListen"`
}

func settingsOf(c *config.Config) Settings {
	return Settings{
		Interfaces:    c.Interfaces,
		ListDirs:      c.ListDirs,
		API:           c.API,
		MetricsListen: c.MetricsListen,
	}
}
