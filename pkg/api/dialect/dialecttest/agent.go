package dialecttest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// agent compiles every change as the real one does, and enforces none.
type agent struct {
	clock   *Clock
	log     *audit.Log
	kept    *memory
	writing sync.Mutex
	now     atomic.Pointer[inForce]
}

// inForce is a revision.
type inForce struct {
	table  *policy.Table
	number uint64
}

func (a *agent) Table() *policy.Table { return a.now.Load().table }

func (a *agent) Revision() (number uint64, enforced bool) { return a.now.Load().number, true }

// enforce puts a state in force that no write led to.
func (a *agent) enforce(s *policy.State) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	number := uint64(1)
	if before := a.now.Load(); before != nil {
		number = before.number + 1
	}
	table, err := policy.Compile(s, policy.Host{}, a.clock.Now())
	if err == nil {
		a.now.Store(&inForce{table, number})
	}
	return err
}

// Write makes a change, one at a time.
func (a *agent) Write(_ context.Context, w policy.Write) (policy.Receipt, error) {
	a.writing.Lock()
	defer a.writing.Unlock()
	before := a.now.Load()
	draft := policy.NewDraft(before.table.State)
	if err := w.Edit(draft); err != nil || draft.Before().Empty() {
		return policy.Receipt{}, err
	}
	after, err := policy.Compile(draft.State(), policy.Host{}, a.clock.Now())
	if err != nil {
		return policy.Receipt{}, err
	}
	r := policy.Receipt{Transition: policy.Transition{Before: before.table, After: after, Image: draft.Before()}}
	if err := w.Check(r.Transition); err != nil || w.DryRun {
		return r, err
	}
	c := &policy.Commit{
		Number: before.number + 1, Time: a.clock.Now(), Author: w.Author, Origin: w.Origin, Reason: w.Reason,
		Names: r.Image.Names(), Before: r.Image, Told: w.Told,
	}
	rec, err := audit.Committed(c, r.Image, draft.After())
	if err != nil {
		return policy.Receipt{}, err
	}
	if err := a.log.Change(rec, a.kept.note); err != nil {
		return policy.Receipt{}, err
	}
	a.now.Store(&inForce{after, c.Number})
	r.Commit = c
	return r, nil
}

func (*agent) Confirm(context.Context, uint64, policy.Author) error {
	return errors.New("nothing waits to be confirmed")
}

// Clock is a time that passes when it is told to.
type Clock struct{ since atomic.Int64 }

// Start is what a Clock shows first.
var Start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// Now is what it shows.
func (c *Clock) Now() time.Time { return Start.Add(time.Duration(c.since.Load())) }

// Pass lets time pass.
func (c *Clock) Pass(d time.Duration) { c.since.Add(int64(d)) }
