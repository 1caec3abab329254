package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// Confirm settles a revision that would be taken back otherwise.
func (a *Agent) Confirm(ctx context.Context, revision uint64, by policy.Author) (err error) {
	if stopped := a.do(ctx, func(_ context.Context, l *loop) { err = l.confirm(revision, by) }); stopped != nil {
		return stopped
	}
	return err
}

func (l *loop) confirm(revision uint64, by policy.Author) error {
	at := slices.IndexFunc(l.pending, func(c *policy.Commit) bool { return c.Number == revision })
	if at < 0 {
		return &policy.Unknown{What: "revision to be confirmed", Name: fmt.Sprint(revision)}
	}
	c := &policy.Commit{
		Number: revision, Time: l.clock.now(), Author: by, Origin: "confirm",
		Names: l.pending[at].Names, Outcome: policy.Confirmed,
	}
	err := l.noted(c, policy.Image{}, func(note audit.Note) error {
		return l.store.Settle(revision, policy.Confirmed, note)
	})
	if err != nil {
		return fmt.Errorf("%w: %w", policy.ErrNotKept, err)
	}
	l.pending = slices.Delete(l.pending, at, at+1)
	l.show()
	return nil
}

// itself is the author of what the agent does unasked.
var itself = policy.Author{Name: "postern"}

// revertOverdue takes back what nobody confirmed in time, the latest first:
// another may have been made on top of the one before.
func (l *loop) revertOverdue(ctx context.Context) {
	for _, c := range l.overdue() {
		if err := l.revert(ctx, c); err != nil {
			if l.revertErr == nil {
				l.cfg.Log.Error("revision not taken back", "revision", c.Number, "err", err)
			}
			l.revertErr = fmt.Errorf("take back revision %d, which nobody confirmed: %w", c.Number, err)
			l.show()
			return
		}
		l.revertErr = nil
	}
}

func (l *loop) overdue() []*policy.Commit {
	var over []*policy.Commit
	for _, c := range slices.Backward(l.pending) {
		if !l.clock.now().Before(c.Confirm) {
			over = append(over, c)
		}
	}
	return over
}

func (l *loop) revert(ctx context.Context, c *policy.Commit) error {
	if err := l.writable(); err != nil {
		return err
	}
	d := policy.NewDraft(l.rev.State)
	if err := d.Restore(c.Before); err != nil {
		return err
	}
	after, err := l.compile(d.State())
	if err != nil {
		return err
	}
	r := l.reverting(c, d.Before())
	step := policy.Transition{Before: l.table, After: after, Image: r.Before}
	if err := l.carryOut(ctx, r, step, d.After()); err != nil {
		return err
	}
	l.settle(c)
	l.cfg.Log.Warn("revision taken back: nobody confirmed it", "revision", c.Number, "by", r.Number)
	l.show()
	return nil
}

func (l *loop) reverting(c *policy.Commit, image policy.Image) *policy.Commit {
	r := l.commitOf(policy.Write{Author: itself, Origin: "revert"}, image)
	r.Reason = fmt.Sprintf("revision %d was not confirmed by %s", c.Number, c.Confirm.UTC().Format(time.RFC3339))
	r.Reverts = c.Number
	return r
}

func (l *loop) settle(c *policy.Commit) {
	l.pending = slices.DeleteFunc(l.pending, func(p *policy.Commit) bool { return p == c })
}

// revertAtStart takes back what is overdue before anything is put in force.
func (l *loop) revertAtStart() error {
	for _, c := range l.overdue() {
		s := l.state()
		if s == nil {
			return errors.New("nothing is known of what a revision changed")
		}
		d := policy.NewDraft(s)
		if err := d.Restore(c.Before); err != nil {
			l.revertErr = fmt.Errorf("take back revision %d, which nobody confirmed: %w", c.Number, err)
			continue
		}
		r := l.reverting(c, d.Before())
		if err := l.commit(r, d.After()); err != nil {
			return err
		}
		l.settle(c)
		l.begin(d.State().Stored(), r.Number)
	}
	return nil
}
