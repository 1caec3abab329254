package agent

import (
	"context"
	"errors"
	"path/filepath"
	"runtime/debug"
	"slices"
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
	store    Store // nil: it could not be opened
	files    *watcher
	intake   *intake
	clock    clock
	compiler policy.Compiler
	host     policy.Host

	reading *reading         // the files as last read, good or not
	rev     *policy.Revision // in force; before that, the one kept; nil: none
	table   *policy.Table    // in force; nil: none yet
	tally   tally            // of rev, once it is in force
	lost    bool             // table is not rev's: nothing was known, and endpoints are closed
	guarded []string         // the interfaces last asked for; nil: not yet

	reload  Reload
	logged  string          // what was last said of reload
	refused policy.Problems // what the policy package found in good files

	storeErr   error // the store could not be opened
	saveErr    error // what is in force, or the time, is not on disk
	refreshErr error // the revision in force is not as of now
	gateErr    error
	attachErr  error
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
			l.intake.walked(w, l.reading)
		case <-l.intake.settled.C:
			l.reading = l.reading.again(l.intake.take())
			l.takeUp(ctx)
		case l.host = <-hosts:
			l.refresh(ctx)
		case job := <-jobs:
			job(ctx, l)
		case <-ticks.C:
			l.expire(ctx)
		case <-rescans.C:
			l.intake.walk(l.reading)
			l.tryAgain(ctx)
		case <-records.C:
			l.recordTime()
			l.show()
		}
	}
}

// takeUp puts in force what the files were read to say, or nothing of it.
func (l *loop) takeUp(ctx context.Context) {
	l.files.follow(l.watched())
	l.refused = nil
	err := l.reading.mistakes(l.state()).Err()
	if err == nil {
		settings := settingsOf(l.reading.config)
		err = l.advance(ctx, l.next(succeed(l.state(), l.reading), settings.encode()), settings.Interfaces)
		l.refused, _ = errors.AsType[policy.Problems](err)
	}
	if ctx.Err() != nil {
		return
	}
	l.reload = Reload{At: l.clock.now(), Err: err}
	l.logReload()
	l.show()
}

// state is what the next state follows; nil where there is nothing.
func (l *loop) state() *policy.State {
	if l.rev == nil {
		return nil
	}
	return l.rev.State
}

// watched are the directories in which a change matters.
func (l *loop) watched() []string {
	dirs := append([]string{filepath.Dir(l.cfg.File)}, l.settings.ListDirs...)
	return append(dirs, l.reading.config.ListDirs...)
}

// advance moves to next and keeps it. It is kept when it is in force and not
// before: the last good revision on disk must be one that the kernel took. Who
// is killed between the two starts from the files, which are newer than both.
func (l *loop) advance(ctx context.Context, next *policy.Revision, interfaces []string) error {
	if next != l.rev {
		if err := l.enforce(ctx, next.State); err != nil {
			return err
		}
		l.rev, l.lost = next, false
		l.cfg.Log.Info("revision in force", "revision", next.Number)
	}
	if l.guarded == nil || !slices.Equal(l.guarded, interfaces) {
		l.attach(ctx, interfaces) // first: keeping 90,000 lists takes seconds
	}
	l.save()
	return nil
}

// enforce puts s in force as of now, in the kernel and then in the gate, whose
// listeners must not open onto what the kernel does not guard yet. It is
// compiled and fitted first: with an error, what was in force stays.
func (l *loop) enforce(ctx context.Context, s *policy.State) error {
	table, err := l.compiler.Compile(s, l.host, l.clock.now())
	if err != nil {
		return err
	}
	if err := l.cfg.Datapath.Apply(ctx, table.Plan); err != nil {
		return err
	}
	l.table = table
	l.gateErr = l.cfg.Gate.Set(table)
	l.refreshErr = nil
	return nil
}

// refresh enforces the same state as of now: an entry expired, or the host's
// addresses changed.
func (l *loop) refresh(ctx context.Context) {
	if err := l.enforce(ctx, l.table.State); err != nil && ctx.Err() == nil {
		l.refreshErr = err
		l.cfg.Log.Error("revision not renewed", "err", err)
	}
	if l.lost {
		l.gateErr = l.cfg.Gate.Set(nil)
	}
	l.show()
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
}

func (l *loop) attach(ctx context.Context, interfaces []string) {
	l.guarded = append([]string{}, interfaces...)
	l.attachErr = l.cfg.Datapath.Attach(ctx, interfaces)
	if l.attachErr != nil && ctx.Err() == nil {
		l.cfg.Log.Error("interface not guarded", "err", l.attachErr)
	}
}
