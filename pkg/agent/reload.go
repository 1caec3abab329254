package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/policy"
)

// ReloadOptions are what a reading of the files may do beyond what it says.
type ReloadOptions struct {
	Force bool           // cut established connections
	Cede  []policy.Place // of these lists the store gives up its own to the files
	By    By             // who has it cede them
}

// By is who has files take the place of what was, and why; the files themselves
// where its Author has no name.
type By struct {
	Author policy.Author
	Reason string
	Told   *policy.Told // nil: the journal finds words of its own
}

// Reload reads every file that changed, now, and puts in force what they say.
func (a *Agent) Reload(ctx context.Context, o ReloadOptions) (err error) {
	if stopped := a.do(ctx, func(ctx context.Context, l *loop) { err = l.reloadNow(ctx, o) }); stopped != nil {
		return stopped
	}
	return err
}

func (l *loop) reloadNow(ctx context.Context, o ReloadOptions) error {
	l.reading = l.reading.again(l.reading.listed.Scan(l.reading.lists))
	l.takeUp(ctx, o)
	if l.reload.Err == nil && len(o.Cede) > 0 {
		return l.commitErr // the store has not given up what it was to give up
	}
	return l.reload.Err
}

// takeUp puts in force what the files were read to say, or nothing of it.
func (l *loop) takeUp(ctx context.Context, o ReloadOptions) {
	l.files.follow(l.watched())
	l.refused = nil
	next := succeed(l.state(), l.reading, o.Cede)
	if !next.ceded.Empty() {
		next.by = o.By
	}
	err := append(l.reading.mistakes(l.state(), next.state), next.clashes...).Err()
	if l.unknown {
		err = fmt.Errorf("what was written over the API is not known: %w, or take %s away", l.storeErr, l.storeDir)
	}
	if err == nil {
		err = l.advance(ctx, next, o)
		l.refused, _ = errors.AsType[policy.Problems](err)
	} else {
		l.refused = next.clashes
	}
	if ctx.Err() != nil {
		return
	}
	l.reload = Reload{At: l.clock.now(), Err: err}
	l.lookForOrphans()
	l.logReload()
	l.show()
}

// advance moves to what the files say. It is kept when it is in force and not
// before: the last good revision on disk must be one that the kernel took. Who
// is killed between the two starts from the files, which are newer than both.
func (l *loop) advance(ctx context.Context, s *successor, o ReloadOptions) error {
	settings := settingsOf(l.reading.config)
	next := l.next(s.state, settings.encode())
	if next != l.rev {
		if err := l.forward(ctx, next, o.Force); err != nil {
			return err
		}
		l.commitFiles(next, s)
	}
	if l.guarded == nil || !slices.Equal(l.guarded, settings.Interfaces) {
		l.attach(ctx, settings.Interfaces)
	}
	l.save()
	return nil
}

// forward puts next in force, unless it cuts connections unasked.
func (l *loop) forward(ctx context.Context, next *policy.Revision, force bool) error {
	t, err := l.compile(next.State)
	if err != nil {
		return err
	}
	if cuts := l.cuts(t); len(cuts) > 0 && !force && !l.lost {
		return fmt.Errorf("%w; list its address, add a failsafe, or put it in force with postern reload --force", t.LockedOut(cuts))
	}
	if err := l.put(ctx, t); err != nil {
		return err
	}
	l.rev, l.lost = next, false
	l.cfg.Log.Info("revision in force", "revision", next.Number)
	return nil
}

// manyNames is how many records a revision of the files names; of 90,000 their
// number says more.
const manyNames = 1000

// commitFiles keeps in the store that the files made a revision, and what it gave
// up to them. The files are in force whether or not that works.
func (l *loop) commitFiles(rev *policy.Revision, s *successor) {
	if l.store == nil || rev.Number <= l.store.Number() {
		return
	}
	c := &policy.Commit{
		Number: rev.Number, Time: rev.Since, Author: s.by.Author, Origin: policy.Files,
		Reason: s.by.Reason, Told: s.by.Told, Names: s.names, Before: s.ceded,
	}
	if c.Author.Name == "" {
		c.Author.Name = "files"
	}
	if len(c.Names) > manyNames {
		c.Reason = strings.TrimPrefix(fmt.Sprintf("%s; %d lists and tenants changed", c.Reason, len(c.Names)), "; ")
		c.Names = s.ceded.Names()
	}
	l.commitErr = l.commit(c, s.ceded.None())
	if l.commitErr == nil {
		rev.Store, rev.Stored = l.store.ID(), c.Number
	} else {
		l.cfg.Log.Error("revision not in the store", "err", l.commitErr)
	}
}
