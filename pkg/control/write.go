package control

import (
	"context"
	"errors"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Result is what came of a write.
type Result struct {
	Revision uint64 // the one made; where nothing changed, the one in force
	Enforced bool
	DryRun   bool
	Names    []string          // of the records that changed
	Diff     policy.Difference // with prefixes for a dry run
	Warnings []Warning
	Confirm  time.Time // until when it must be confirmed; zero: it need not
	After    *policy.Table
}

// Warning is what a change does that may not be meant.
type Warning struct {
	Kind   Kind // LocksOut, WouldOpen; "" for advice
	What   string
	Remedy string
	Names  []string
}

// longest is how long a change may wait to be confirmed.
const longest = 24 * time.Hour

// Write makes changes, all in one revision or none. It is in force and kept when
// Write returns.
func (s *Service) Write(ctx context.Context, c *Call, changes ...Change) (*Result, error) {
	if len(changes) == 0 {
		return s.unchanged(), nil
	}
	r, err := s.write(ctx, c, changes)
	return r, s.refused(c, verb(changes), names(changes), err)
}

func (s *Service) write(ctx context.Context, c *Call, changes []Change) (*Result, error) {
	if err := c.lacks(s.Table(), needsOf(changes, func(ch Change) []need { return ch.needs })...); err != nil {
		return nil, err
	}
	if c.Confirm < 0 || c.Confirm > longest {
		return nil, refuse(Invalid, "confirm within %s: it may be at most %s", c.Confirm, longest)
	}
	w := &writing{Service: s, call: c, changes: changes, rights: true}
	return w.run(ctx)
}

func (s *Service) unchanged() *Result {
	number, enforced := s.Revision()
	return &Result{Revision: number, Enforced: enforced, After: s.Table()}
}

// writing is a write on its way: the agent calls it back, and may do so twice.
type writing struct {
	*Service
	call    *Call
	changes []Change
	rights  bool // false: it is only asked what it would do
	told    policy.Told
	now     time.Time
	findings
}

func (w *writing) run(ctx context.Context) (*Result, error) {
	w.told = policy.Told{Action: verb(w.changes), Trace: w.call.Trace}
	receipt, err := w.cfg.Agent.Write(ctx, policy.Write{
		Author: w.call.Author(), Origin: w.call.Origin, Reason: w.call.Reason, Told: &w.told,
		Edit: w.edit, Check: w.check,
		Force: w.call.Force, Confirm: w.call.Confirm, DryRun: w.call.DryRun,
	})
	if cuts, ok := errors.AsType[*policy.LocksOut](err); ok {
		return nil, w.call.cutting(cuts)
	} else if err != nil {
		return nil, err
	}
	return w.result(receipt), nil
}

func (w *writing) edit(d *policy.Draft) error {
	w.now = w.cfg.Now().UTC()
	if t := w.Table(); t != nil && t.Now.After(w.now) {
		w.now = t.Now // what is over stays over, whatever the host's clock says
	}
	var err error
	if w.call, err = w.again(w.call); err != nil {
		return err
	}
	stamp := &policy.Stamp{Author: w.call.who().Name, Created: w.now, Modified: w.now}
	e := &edit{d, Moment{w.now, stamp}, w.call, w.rights, w.cfg.MaxEntries}
	if err := e.lacks(needsOf(w.changes, e.asks)...); err != nil {
		return err
	}
	return apply(e, w.changes)
}

func (w *writing) result(receipt policy.Receipt) *Result {
	r := w.unchanged()
	r.DryRun = w.call.DryRun
	r.Warnings = w.warnings(w.call)
	if receipt.After == nil {
		return r
	}
	r.After = receipt.After
	r.Names = receipt.Image.Names()
	r.Diff = policy.Differ(receipt.Image, receipt.Image.Like(receipt.After.State))
	if r.DryRun {
		r.Diff.Prefixes(w.now)
	}
	if receipt.Commit != nil {
		r.Revision, r.Confirm = receipt.Commit.Number, receipt.Commit.Confirm
	}
	r.Warnings = append(r.Warnings, w.advice(receipt)...)
	return r
}

// advice is what Lint says of the lists that a write was about.
func (w *writing) advice(receipt policy.Receipt) []Warning {
	var all []Warning
	for at := range receipt.Image.Lists {
		all = append(all, advise(receipt.After.State, at, w.now)...)
	}
	for name := range receipt.Image.Endpoints {
		all = append(all, advise(receipt.After.State, policy.Place{Scope: policy.ScopeEndpoint, Endpoint: name}, w.now)...)
	}
	return all
}

func advise(s *policy.State, at policy.Place, now time.Time) []Warning {
	var all []Warning
	for _, p := range policy.Advise(s, []policy.Place{at}, now) {
		all = append(all, Warning{What: p.What, Remedy: p.Remedy, Names: listed(at.String())})
	}
	return all
}
