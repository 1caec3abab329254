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
	at := slices.IndexFunc(l.pending, func(p *awaited) bool { return p.Number == revision })
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

// awaited is a revision that waits to be confirmed, its deadline by a clock that
// nobody sets, for the host's may stand still, and why it could not be taken back.
type awaited struct {
	*policy.Commit
	until time.Time
	err   error
}

// await has a revision taken back at its deadline. What is left until then is
// never more than was given.
func (l *loop) await(c *policy.Commit) {
	left := min(c.Confirm.Sub(l.clock.now()), c.Confirm.Sub(c.Time))
	l.pending = append(l.pending, &awaited{Commit: c, until: time.Now().Add(left)})
}

// revertOverdue takes back what nobody confirmed in time, the latest first:
// another may have been made on top of the one before. One that cannot be taken
// back keeps no other, and is tried again when what went wrong is.
func (l *loop) revertOverdue(ctx context.Context, again bool) {
	for _, p := range l.overdue() {
		if p.err != nil && !again {
			continue
		}
		told := p.err != nil
		if p.err = l.revert(ctx, p.Commit); p.err != nil && !told {
			l.cfg.Log.Error("revision not taken back", "revision", p.Number, "err", p.err)
			l.show()
		}
	}
}

// notTakenBack is what is in force though nobody confirmed it.
func (l *loop) notTakenBack() error {
	var all error
	for _, p := range l.pending {
		if p.err != nil {
			all = errors.Join(all, fmt.Errorf("take back revision %d, which nobody confirmed: %w", p.Number, p.err))
		}
	}
	return all
}

func (l *loop) overdue() []*awaited {
	var over []*awaited
	for _, p := range slices.Backward(l.pending) {
		if !l.clock.now().Before(p.Confirm) || !time.Now().Before(p.until) {
			over = append(over, p)
		}
	}
	return over
}

func (l *loop) revert(ctx context.Context, c *policy.Commit) error {
	if err := l.writable(); err != nil {
		return err
	}
	d := policy.NewDraft(l.rev.State)
	d.TakeBack(c.Before)
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
	l.pending = slices.DeleteFunc(l.pending, func(p *awaited) bool { return p.Commit == c })
}

// revertAtStart takes back what is overdue before anything is put in force; what
// would not compile waits until the loop has tried it.
func (l *loop) revertAtStart() {
	for _, p := range l.overdue() {
		p.err = l.revertKept(p.Commit)
	}
}

func (l *loop) revertKept(c *policy.Commit) error {
	s := l.state()
	if s == nil {
		return errors.New("nothing is known of what it changed")
	}
	d := policy.NewDraft(s)
	d.TakeBack(c.Before)
	if _, err := policy.Compile(d.State(), l.host, l.clock.now()); err != nil {
		return err
	}
	r := l.reverting(c, d.Before())
	if err := l.commit(r, d.After()); err != nil {
		return err
	}
	l.settle(c)
	l.begin(d.State().Stored(), r.Number)
	return nil
}
