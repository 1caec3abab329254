package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/postern-io/postern/pkg/policy"
)

// openStore opens the store and takes from it the revision kept and the time.
// Without one the agent goes on, from files.
func (l *loop) openStore() {
	l.clock = clock{wall: l.cfg.Now}
	l.storeDir = l.cfg.StorePath
	if l.storeDir == "" {
		l.storeDir = l.reading.storePath()
	}
	store, err := l.cfg.OpenStore(l.storeDir)
	if err != nil {
		l.storeErr = err
		l.cfg.Log.Error("nothing is kept, and nothing was kept to start from", "err", err)
		return
	}
	l.store = store
	l.rev = store.Revision()
	l.clock.latest = store.Latest()
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
	l.takeUp(ctx)
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
