// Package storetest is what every store of postern's must do, as tests that each
// runs.
package storetest

import (
	"maps"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/store"
)

// Store is a store as its users know it.
type Store interface {
	ID() string
	Number() uint64
	Load() (policy.Image, error)
	Commit(c *policy.Commit, after policy.Image, note audit.Note) error
	Settle(number uint64, o policy.Outcome, note audit.Note) error
	Pending() ([]*policy.Commit, error)
	History(store.HistoryQuery) ([]*policy.Commit, error)
	Revision(number uint64) (*policy.Commit, error)
	Undo(to uint64, names func(string) bool) (policy.Image, error)
	Keys() ([]access.Key, error)
	PutKey(key access.Key, note audit.Note) error
	DeleteKey(id string, note audit.Note) error
	Secret(name string) ([]byte, error)
	PutSecret(name string, secret []byte) error
	Journal() store.Journal
}

// Open makes an empty store, which the test's cleanup closes.
type Open func(t *testing.T, cfg store.Config) Store

// Run tests stores that open makes.
func Run(t *testing.T, open Open) {
	tests := []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"empty", testEmpty},
		{"records", testRecords},
		{"conflict", testConflict},
		{"one-of-many-wins", testOneWins},
		{"atomic", testAtomic},
		{"history", testHistory},
		{"revision", testRevision},
		{"undo", testUndo},
		{"undo-random", testUndoRandom},
		{"pending", testPending},
		{"reverts", testReverts},
		{"retention-count", testRetentionCount},
		{"retention-bytes", testRetentionBytes},
		{"retention-pending", testRetentionPending},
		{"vault", testVault},
		{"journal", testJournal},
		{"readers-beside-writer", testReaders},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open) })
	}
}

var (
	noon   = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	acme   = policy.Place{Scope: policy.ScopeTenant, Tenant: "acme", Resource: "*"}
	system = policy.Place{Scope: policy.ScopeSystem, Resource: "managementAPI"}
	user   = policy.Place{Scope: policy.ScopeUser, Tenant: "acme", User: "1", Resource: "dataAccess"}
)

var sameValue = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b addr.Range) bool { return a == b }),
}

// list is one of these addresses, written by ann.
func list(t testing.TB, texts ...string) *policy.List {
	t.Helper()
	l := &policy.List{}
	by := &policy.Stamp{Author: "ann", Created: noon, Modified: noon}
	for _, text := range texts {
		r, err := addr.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		l.Entries = append(l.Entries, policy.Entry{Text: text, Range: r, By: by})
	}
	return l
}

func lists(at policy.Place, l *policy.List) policy.Image {
	return policy.Image{Lists: map[policy.Place]*policy.List{at: l}}
}

// writer commits to a store, and knows what must be there.
type writer struct {
	*testing.T
	Store
	now policy.Image
}

func write(t *testing.T, s Store) *writer { return &writer{T: t, Store: s} }

// commit is the next commit of these records.
func (w *writer) commit(after policy.Image) *policy.Commit {
	before := policy.Image{
		Lists: was(w.now.Lists, after.Lists), Tenants: was(w.now.Tenants, after.Tenants),
		Endpoints: was(w.now.Endpoints, after.Endpoints),
	}
	if after.Filtering != nil {
		before.Filtering = new(bool)
		if w.now.Filtering != nil {
			*before.Filtering = *w.now.Filtering
		}
	}
	n := w.Number() + 1
	return &policy.Commit{
		Number: n, Time: noon.Add(time.Duration(n) * time.Second), Author: policy.Author{Name: "ann"}, Origin: "api",
		Names: after.Names(), Before: before,
	}
}

// was are the values that records had.
func was[K comparable, V any](now, after map[K]*V) map[K]*V {
	before := map[K]*V{}
	for key := range after {
		before[key] = now[key]
	}
	return before
}

// put makes a commit of these records, which edit may change before.
func (w *writer) put(after policy.Image, edit func(*policy.Commit)) *policy.Commit {
	w.Helper()
	c := w.commit(after)
	if edit != nil {
		edit(c)
	}
	if err := w.Commit(c, after, audit.Note{}); err != nil {
		w.Fatal(err)
	}
	w.now = present(after.Over(w.now))
	return c
}

// present is i without the records that are not there.
func present(i policy.Image) policy.Image {
	drop(i.Lists)
	drop(i.Tenants)
	drop(i.Endpoints)
	return i
}

func drop[K comparable, V any](all map[K]*V) {
	maps.DeleteFunc(all, func(_ K, v *V) bool { return v == nil })
}

// check compares what the store has with what must be there.
func (w *writer) check() {
	w.Helper()
	got, err := w.Load()
	if err != nil {
		w.Fatal(err)
	}
	diff(w.T, "records", w.now, got)
}

func diff(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, sameValue); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func numbers(commits []*policy.Commit) []uint64 {
	var all []uint64
	for _, c := range commits {
		all = append(all, c.Number)
	}
	return all
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
