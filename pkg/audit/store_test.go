package audit_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/audit"
)

// memory is a Store, and the changes that were committed to it.
type memory struct {
	head    audit.Note
	pending []audit.Note
	changes []uint64 // the numbers of committed notes
	fail    error    // of the next commit
}

func (m *memory) Head() (audit.Note, error)      { return m.head, nil }
func (m *memory) Pending() ([]audit.Note, error) { return slices.Clone(m.pending), nil }

func (m *memory) PutHead(n audit.Note) error {
	if n.Line != nil {
		return errors.New("put head: it has a line")
	}
	m.head = n
	return nil
}

func (m *memory) Trim(through uint64) error {
	m.pending = slices.DeleteFunc(m.pending, func(n audit.Note) bool { return n.Seq <= through })
	return nil
}

func (m *memory) commit(n audit.Note) error {
	if m.fail != nil {
		return m.fail
	}
	m.pending, m.changes = append(m.pending, n), append(m.changes, n.Seq)
	m.head = audit.Note{Seq: n.Seq, Hash: n.Hash}
	return nil
}

// clone is what a crash leaves of m.
func (m *memory) clone() *memory {
	return &memory{head: m.head, pending: slices.Clone(m.pending), changes: slices.Clone(m.changes)}
}

// clock is a time that a test moves.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time { return c.at }

func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }

// open opens a log that must have nothing to complain of.
func open(t *testing.T, cfg audit.Config) *audit.Log {
	t.Helper()
	l, problems, err := audit.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if len(problems) > 0 {
		t.Fatalf("Open: %v", problems)
	}
	return l
}

func change(t *testing.T, l *audit.Log, m *memory, rec audit.Record) {
	t.Helper()
	if err := l.Change(rec, m.commit); err != nil {
		t.Fatal(err)
	}
}

// verify is what Verify finds in dir, a line each.
func verify(t *testing.T, dir string, m *memory) (audit.Report, string) {
	t.Helper()
	report, err := audit.Verify(t.Context(), dir, m.head, m.pending)
	if err != nil {
		t.Fatal(err)
	}
	return report, report.Problems.Error()
}
