package agent

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// Write makes one change: it is in force and kept when Write returns, or nothing
// of it is. Writes are made one after another.
func (a *Agent) Write(ctx context.Context, w policy.Write) (r policy.Receipt, err error) {
	if stopped := a.do(ctx, func(ctx context.Context, l *loop) { r, err = l.write(ctx, w) }); stopped != nil {
		return r, stopped
	}
	return r, err
}

func (l *loop) write(ctx context.Context, w policy.Write) (policy.Receipt, error) {
	if err := l.writable(); err != nil {
		return policy.Receipt{}, err
	}
	d := policy.NewDraft(l.rev.State)
	if err := w.Edit(d); err != nil {
		return policy.Receipt{}, err
	}
	if w.Confirm > 0 && d.Adopted() {
		return policy.Receipt{}, policy.Problems{{
			What:   "a list that the store takes over from its file cannot be given back",
			Remedy: "leave confirm out",
		}}
	}
	step, err := l.propose(d, w)
	if err != nil || w.DryRun || step.Image.Empty() {
		return policy.Receipt{Transition: step}, err
	}
	c := l.commitOf(w, step.Image)
	if w.Confirm > 0 {
		c.Confirm, c.Outcome = c.Time.Add(w.Confirm), policy.Pending
	}
	if err := l.carryOut(ctx, c, step, d.After()); err != nil {
		return policy.Receipt{}, err
	}
	if d.Adopted() {
		l.lookForOrphans()
		l.show()
	}
	return policy.Receipt{Transition: step, Commit: c}, nil
}

// writable refuses a write where nothing could keep it, or nobody knows what it
// would change.
func (l *loop) writable() error {
	switch {
	case l.store == nil && l.storeErr != nil:
		return fmt.Errorf("%w: %w", policy.ErrNotKept, l.storeErr)
	case l.store == nil:
		return fmt.Errorf("%w: there is no store", policy.ErrNotKept)
	case l.lost || l.table == nil:
		return fmt.Errorf("%w: the files cannot be put in force, and nothing can be written over what is not known", policy.ErrNotKept)
	}
	return nil
}

// propose compiles a draft and asks whether it may be put in force.
func (l *loop) propose(d *policy.Draft, w policy.Write) (policy.Transition, error) {
	step := policy.Transition{Before: l.table, After: l.table, Image: d.Before()}
	if step.Image.Empty() {
		return step, nil
	}
	if err := l.unlocked(step.Image, d.State()); err != nil {
		return step, err
	}
	after, err := l.compile(d.State())
	if err != nil {
		return step, err
	}
	step.After = after
	step.Cuts = l.cuts(after)
	if w.Check != nil {
		if err := w.Check(step); err != nil {
			return step, err
		}
	}
	if len(step.Cuts) > 0 && !w.Force {
		return step, after.LockedOut(step.Cuts)
	}
	return step, nil
}

// cuts are the established connections that after would cut. That they cannot be
// listed is no reason to refuse.
func (l *loop) cuts(after *policy.Table) []policy.Cut {
	if l.cfg.Connections == nil {
		return nil
	}
	conns, err := l.cfg.Connections(after.Guards)
	if err != nil {
		l.cfg.Log.Warn("connections not listed", "err", err)
	}
	before := l.table
	if before == nil && l.rev != nil && len(conns) > 0 { // at a start the kernel still has what was kept
		before, err = policy.Compile(l.rev.State, l.host, l.clock.now())
		if err != nil {
			return nil
		}
	}
	if before == nil {
		return nil
	}
	return policy.CutOff(before, after, conns)
}

func (l *loop) commitOf(w policy.Write, image policy.Image) *policy.Commit {
	return &policy.Commit{
		Number: l.number() + 1,
		Time:   l.clock.now(),
		Author: w.Author,
		Origin: w.Origin,
		Reason: w.Reason,
		Told:   w.Told,
		Names:  image.Names(),
		Before: image,
	}
}

// carryOut puts a commit in force and keeps it. What cannot be kept does not stay
// in force: whoever wrote it is told that it failed.
func (l *loop) carryOut(ctx context.Context, c *policy.Commit, step policy.Transition, after policy.Image) error {
	if err := l.put(ctx, step.After); err != nil {
		return err
	}
	if err := l.commit(c, after); err != nil {
		if back := l.enforce(ctx, l.rev.State); back != nil {
			l.refreshErr = back
			l.cfg.Log.Error("write not kept, and still in force", "err", back)
			l.show()
		}
		return fmt.Errorf("%w: %w", policy.ErrNotKept, err)
	}
	l.rev = &policy.Revision{
		Number: c.Number, Since: c.Time, State: step.After.State, Settings: l.rev.Settings,
		Store: l.store.ID(), Stored: c.Number,
	}
	l.commitErr = nil
	if c.Outcome == policy.Pending {
		l.await(c)
	}
	l.cfg.Log.Debug("revision in force", "revision", c.Number, "author", c.Author.Name, "origin", c.Origin)
	l.save()
	l.show()
	return nil
}

// commit keeps a revision, and the line of the journal with it.
func (l *loop) commit(c *policy.Commit, after policy.Image) error {
	return l.noted(c, after, func(note audit.Note) error { return l.store.Commit(c, after, note) })
}

func (l *loop) noted(c *policy.Commit, after policy.Image, keep func(audit.Note) error) error {
	if l.journal == nil {
		return keep(audit.Note{})
	}
	return l.journal.Change(c, c.Before, after, keep)
}

// unlocked refuses a change to records that wait for a revision to be confirmed,
// and one after which such a revision could not be taken back any more: somebody
// else has the host or the port that would come again.
func (l *loop) unlocked(image policy.Image, after *policy.State) error {
	for _, p := range l.pending {
		locked := &policy.Locked{Revision: p.Number, Until: p.Confirm}
		for _, name := range image.Names() {
			if slices.Contains(p.Names, name) {
				locked.Name = name
				return locked
			}
		}
		if err := after.Restorable(p.Before); err != nil && l.rev.State.Restorable(p.Before) == nil {
			locked.Name, locked.Why = p.Names[0], err.Error()
			return locked
		}
	}
	return nil
}
