package agent

import (
	"context"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

const (
	quiet    = 100 * time.Millisecond // files are read when none changed for so long
	patience = time.Second            // and at the latest so long after the first change
	tick     = 250 * time.Millisecond // expiry is looked for so often: an alarm would not notice a clock that is set
	rescan   = 30 * time.Second       // changed files are looked for, and what went wrong is tried again, whoever says nothing
	record   = time.Minute            // the time is recorded
)

// loop owns the state: one goroutine touches all of it.
type loop struct {
	cfg      Config
	publish  func(*view)
	settings Settings // as they were at the start
	storeDir string
	scribe   *scribe
	store    Store   // nil: it could not be opened
	journal  Journal // nil: nothing is written down
	files    *watcher
	intake   *intake
	clock    clock
	compiler policy.Compiler
	host     policy.Host

	reading *reading         // the files as last read, good or not
	rev     *policy.Revision // in force; before that, the one kept; nil: none
	before  *policy.State    // what the first state follows where no revision was kept
	pending []*awaited       // to be confirmed
	table   *policy.Table    // in force; nil: none yet
	tally   tally            // of rev, once it is in force
	lost    bool             // table is not rev's: nothing was known, and endpoints are closed
	unknown bool             // what people wrote cannot be read, and no revision has it
	guarded []string         // the interfaces last asked for; nil: not yet

	reload  Reload
	logged  string          // what was last said of reload
	refused policy.Problems // what the policy package found in good files

	orphaned policy.Problems // what stays in force without its file

	snapshotErr error // no snapshot could be opened
	storeErr    error // nor a store
	commitErr   error // what the files changed is not in the store
	saveErr     error // what is in force is not in the snapshot
	timeErr     error // nor the time
	refreshErr  error // the revision in force is not as of now
	gateErr     error
	attachErr   error
}

func (l *loop) run(ctx context.Context, hosts <-chan policy.Host, jobs <-chan func(context.Context, *loop)) error {
	select {
	case l.host = <-hosts:
	case <-ctx.Done():
		return nil
	}
	err := l.start(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	go debug.FreeOSMemory() // a start takes twice and more of what the agent then needs
	ticks, rescans, records := time.NewTicker(tick), time.NewTicker(rescan), time.NewTicker(record)
	defer ticks.Stop()
	defer rescans.Stop()
	defer records.Stop()
	l.intake = newIntake()
	l.intake.walk(l.reading) // files may have changed before they were watched
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.files.touched:
			names, whole := l.files.take()
			l.intake.touch(names)
			if whole {
				l.files.follow(l.watched()) // first, or what comes during the walk is missed
				l.intake.walk(l.reading)
			}
		case w := <-l.intake.walks:
			l.intake.walked(w, l.reading, l.reload.Err != nil)
		case <-l.intake.settled.C:
			l.reading = l.reading.again(l.intake.take())
			l.takeUp(ctx, ReloadOptions{})
		case err := <-l.scribe.result:
			l.saved(err)
		case l.host = <-hosts:
			l.refresh(ctx)
		case job := <-jobs:
			job(ctx, l)
		case <-ticks.C:
			l.expire(ctx)
			l.revertOverdue(ctx, false)
		case <-rescans.C:
			l.intake.walk(l.reading)
			l.tryAgain(ctx)
		case <-records.C:
			l.recordTime()
			l.show()
		}
	}
}

// state is what the next state follows; nil where there is nothing.
func (l *loop) state() *policy.State {
	if l.rev == nil {
		return l.before
	}
	return l.rev.State
}

// watched are the directories in which a change matters.
func (l *loop) watched() []string {
	dirs := append([]string{filepath.Dir(l.cfg.File)}, l.settings.ListDirs...)
	return append(dirs, l.reading.config.ListDirs...)
}

// compile is s as of now, not in force yet.
func (l *loop) compile(s *policy.State) (*policy.Table, error) {
	return l.compiler.Compile(s, l.host, l.clock.now())
}

// put puts a table in force, in the kernel and then in the gate, whose listeners
// must not open onto what the kernel does not guard yet. It is fitted first: with
// an error, what was in force stays.
func (l *loop) put(ctx context.Context, t *policy.Table) error {
	if err := l.cfg.Datapath.Apply(ctx, t.Plan); err != nil {
		return err
	}
	l.table = t
	l.gateErr = l.cfg.Gate.Set(t)
	l.refreshErr = nil
	return nil
}

// enforce puts s in force as of now.
func (l *loop) enforce(ctx context.Context, s *policy.State) error {
	t, err := l.compile(s)
	if err != nil {
		return err
	}
	return l.put(ctx, t)
}

// refresh enforces the same state as of now: an entry expired, or the host's
// addresses changed.
func (l *loop) refresh(ctx context.Context) {
	if err := l.enforce(ctx, l.enforced()); err != nil && ctx.Err() == nil {
		l.refreshErr = err
		l.cfg.Log.Error("revision not renewed", "err", err)
	}
	if l.lost {
		l.gateErr = l.cfg.Gate.Set(nil)
	}
	l.show()
}

// enforced is the state that is to be in force: not what a write left behind that
// could neither be kept nor taken back.
func (l *loop) enforced() *policy.State {
	if l.lost || l.rev == nil {
		return l.table.State
	}
	return l.rev.State
}

// expire renews the revision when an entry that was live is over. The time is
// recorded first: a crash and a clock set back would revive it. What fails is
// left to tryAgain, or every tick would try it.
func (l *loop) expire(ctx context.Context) {
	at := l.table.NextExpiry
	if l.refreshErr == nil && !at.IsZero() && !l.clock.now().Before(at) {
		l.recordTime()
		l.refresh(ctx)
	}
}

// tryAgain repeats what went wrong beside the files.
func (l *loop) tryAgain(ctx context.Context) {
	if l.refreshErr != nil || l.gateErr != nil {
		l.refresh(ctx)
	}
	if l.attachErr != nil {
		l.attach(ctx, l.guarded)
	}
	l.revertOverdue(ctx, true)
}

func (l *loop) attach(ctx context.Context, interfaces []string) {
	l.guarded = append([]string{}, interfaces...)
	l.attachErr = l.cfg.Datapath.Attach(ctx, interfaces)
	if l.attachErr != nil && ctx.Err() == nil {
		l.cfg.Log.Error("interface not guarded", "err", l.attachErr)
	}
}
