package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/postern-io/postern/pkg/policy"
)

// openSnapshot takes the revision kept and the time. Without them the agent goes
// on, from files.
func (l *loop) openSnapshot() {
	l.clock = clock{wall: l.cfg.Now}
	l.storeDir = l.cfg.StorePath
	if l.storeDir == "" {
		l.storeDir = l.reading.storePath()
	}
	snapshot, err := l.cfg.OpenSnapshot(l.storeDir)
	if err != nil {
		l.snapshotErr = err
		l.cfg.Log.Error("no revision was kept to start from", "err", err)
	} else {
		l.rev = snapshot.Revision()
		l.clock.latest = snapshot.Latest()
	}
	l.scribe = newScribe(snapshot)
}

// openStore takes what people wrote.
func (l *loop) openStore() {
	if l.cfg.OpenStore == nil {
		return
	}
	store, journal, err := l.cfg.OpenStore(l.storeDir, l.settings)
	if err == nil {
		l.journal = journal
		err = l.take(store)
	}
	if err != nil {
		l.storeErr = err
		if !errors.Is(err, ErrNothingWritten) {
			l.storeErr = fmt.Errorf("%w; bring it back with postern store restore", err)
		}
		l.unknown = l.rev == nil && !errors.Is(err, ErrNothingWritten)
		l.cfg.Log.Error("nothing can be written but in files", "err", l.storeErr)
	}
}

// take has the store's records in the state to begin with. One that is not the
// store of what was last in force is left alone: what people wrote must not
// vanish with a disk.
func (l *loop) take(s Store) error {
	if err := l.ownStore(s); err != nil {
		return errors.Join(err, s.Close())
	}
	pending, err := s.Pending()
	if err != nil {
		return errors.Join(err, s.Close())
	}
	l.store = s
	for _, c := range pending {
		l.await(c)
	}
	if l.rev == nil || l.rev.Store != s.ID() || l.rev.Stored != s.Number() {
		image, err := s.Load()
		if err != nil {
			l.store, l.pending = nil, nil
			return errors.Join(err, s.Close())
		}
		l.begin(image, s.Number())
	}
	l.revertAtStart()
	return nil
}

func (l *loop) ownStore(s Store) error {
	if l.rev == nil || l.rev.Store == "" || l.rev.Store == s.ID() && s.Number() >= l.rev.Stored {
		return nil
	}
	if s.Number() == 0 && l.rev.State.Stored().Empty() {
		return nil // nothing was written to the one before
	}
	return fmt.Errorf("the store in %s is not the one of revision %d, which stays in force", l.storeDir, l.rev.Number)
}

// begin has an image of the store in the state that the next follows.
func (l *loop) begin(stored policy.Image, number uint64) {
	if l.rev == nil {
		l.before = (&policy.State{}).WithStored(stored)
		return
	}
	rev := *l.rev
	rev.State, rev.Number = rev.State.WithStored(stored), max(rev.Number, number)
	rev.Store, rev.Stored = l.store.ID(), number
	l.rev = &rev
}

// chooseSettings takes the file's settings, else those kept.
func (l *loop) chooseSettings() error {
	if !l.reading.broken {
		l.settings = settingsOf(l.reading.config)
		return nil
	}
	if l.rev == nil {
		return l.reading.problems.Err()
	}
	if err := json.Unmarshal(l.rev.Settings, &l.settings); err != nil {
		return fmt.Errorf("read the settings kept: %w", err)
	}
	return nil
}

// start puts in force the first there is of: the files, the revision kept,
// endpoints that admit nobody. The kernel is filled before it is attached.
func (l *loop) start(ctx context.Context) error {
	l.recordTime()
	l.takeUp(ctx, ReloadOptions{})
	if l.table == nil {
		if err := l.fallBack(ctx); err != nil {
			return errors.Join(l.reload.Err, err)
		}
		l.attach(ctx, l.settings.Interfaces)
		l.show()
	}
	l.notify(daemon.SdNotifyReady)
	return nil
}

// fallBack enforces without the files.
func (l *loop) fallBack(ctx context.Context) error {
	if l.rev != nil {
		err := l.enforce(ctx, l.rev.State)
		if err == nil {
			l.cfg.Log.Warn("revision kept in force", "revision", l.rev.Number)
			return nil
		}
		l.cfg.Log.Error("revision kept refused", "revision", l.rev.Number, "err", err)
	}
	if err := l.enforce(ctx, closed(l.endpoints())); err != nil {
		return fmt.Errorf("close every endpoint: %w", err)
	}
	l.lost = true
	l.gateErr = l.cfg.Gate.Set(nil)
	l.cfg.Log.Error("endpoints closed: nothing is known of who may pass")
	return nil
}

// endpoints is what is known of them.
func (l *loop) endpoints() *policy.State {
	if l.reading.broken {
		return l.rev.State
	}
	return l.reading.config.State
}

func (l *loop) close() {
	l.notify(daemon.SdNotifyStopping)
	l.recordTime()
	if err := l.scribe.close(); err != nil {
		l.cfg.Log.Error("revision not kept", "err", err)
	}
	if l.store == nil {
		return
	}
	if err := l.store.Close(); err != nil {
		l.cfg.Log.Error("store not closed", "err", err)
	}
}

// notify tells the service manager, where there is one.
func (l *loop) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		l.cfg.Log.Warn("service manager not told", "state", state, "err", err)
	}
}
