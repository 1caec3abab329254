package dialecttest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// agent keeps a policy in memory.
type agent struct {
	rig     *Rig
	writing sync.Mutex

	mu     sync.Mutex
	table  *policy.Table
	number uint64
}

func (a *agent) Table() *policy.Table {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.table
}

func (a *agent) Revision() (uint64, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.number, true
}

func (a *agent) put(t *policy.Table) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.table, a.number = t, a.number+1
}

// Write makes one change at a time. Who edits and checks may ask what is in force
// meanwhile.
func (a *agent) Write(_ context.Context, w policy.Write) (policy.Receipt, error) {
	a.writing.Lock()
	defer a.writing.Unlock()
	before := a.Table()
	d := policy.NewDraft(before.State)
	if err := w.Edit(d); err != nil {
		return policy.Receipt{}, err
	}
	step := policy.Transition{Before: before, After: before, Image: d.Before()}
	if step.Image.Empty() {
		return policy.Receipt{Transition: step}, nil
	}
	var err error
	if step.After, err = policy.Compile(d.State(), policy.Host{}, a.rig.Now()); err != nil {
		return policy.Receipt{}, err
	}
	if err := w.Check(step); err != nil || w.DryRun {
		return policy.Receipt{Transition: step}, err
	}
	number, _ := a.Revision()
	c := &policy.Commit{
		Number: number + 1, Time: a.rig.Now(), Author: w.Author, Origin: w.Origin, Reason: w.Reason,
		Names: step.Image.Names(), Before: step.Image, Told: w.Told,
	}
	rec, err := audit.Committed(c, step.Image, d.After())
	if err != nil {
		return policy.Receipt{}, err
	}
	if err := a.rig.Log.Change(rec, a.rig.keeps.note); err != nil {
		return policy.Receipt{}, err
	}
	a.put(step.After)
	return policy.Receipt{Transition: step, Commit: c}, nil
}

func (a *agent) Confirm(context.Context, uint64, policy.Author) error {
	return errors.New("nothing waits to be confirmed")
}

// memory is a store of keys and of the journal's head, without a disk.
type memory struct {
	mu      sync.Mutex
	head    audit.Note
	pending []audit.Note
}

func (m *memory) note(n audit.Note) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending, m.head = append(m.pending, n), audit.Note{Seq: n.Seq, Hash: n.Hash}
	return nil
}

func (m *memory) Head() (audit.Note, error) { return m.head, nil }

func (m *memory) Pending() ([]audit.Note, error) { return slices.Clone(m.pending), nil }

func (m *memory) PutHead(n audit.Note) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.head = n
	return nil
}

func (m *memory) Trim(through uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending = slices.DeleteFunc(m.pending, func(n audit.Note) bool { return n.Seq <= through })
	return nil
}

func (m *memory) Keys() ([]access.Key, error)             { return nil, nil }
func (m *memory) Secret(string) ([]byte, error)           { return nil, nil }
func (m *memory) PutSecret(string, []byte) error          { return nil }
func (m *memory) PutKey(_ access.Key, n audit.Note) error { return m.note(n) }
func (m *memory) DeleteKey(_ string, n audit.Note) error  { return m.note(n) }
