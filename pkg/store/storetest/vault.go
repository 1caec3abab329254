package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/store"
)

func testVault(t *testing.T, open Open) {
	s := open(t, store.Config{})
	changed := access.Key{
		ID: "a", Name: "ci", Status: access.Active, Permissions: []string{"12"}, Created: noon, Hash: access.Hash{1, 2},
	}
	for _, key := range []access.Key{{ID: "b"}, {ID: "c"}, {ID: "a"}} {
		if err := s.PutKey(key, audit.Note{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutKey(changed, audit.Note{Seq: 1, Line: []byte("put")}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"b", "unknown"} {
		if err := s.DeleteKey(id, audit.Note{Seq: 2, Line: []byte("deleted")}); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := s.Keys()
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "keys", []access.Key{changed, {ID: "c"}}, keys)
	notes, err := s.Journal().Pending()
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "notes", []audit.Note{{Seq: 1, Line: []byte("put")}, {Seq: 2, Line: []byte("deleted")}}, notes)
	if secret, err := s.Secret("signing"); err != nil || secret != nil {
		t.Errorf("secret = %q, %v; want none", secret, err)
	}
	if err := s.PutSecret("signing", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if secret, err := s.Secret("signing"); err != nil || !bytes.Equal(secret, []byte("x")) {
		t.Errorf("secret = %q, %v; want x", secret, err)
	}
}

func testJournal(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{}))
	j := w.Journal()
	check := func(head uint64, waiting ...uint64) {
		t.Helper()
		got, err := j.Head()
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "head", audit.Note{Seq: head, Hash: [32]byte{byte(head)}}, got)
		notes, err := j.Pending()
		if err != nil {
			t.Fatal(err)
		}
		var want []audit.Note
		for _, seq := range waiting {
			want = append(want, note(seq))
		}
		diff(t, "notes", want, notes)
	}
	check(0)
	for seq := uint64(1); seq <= 3; seq++ {
		if err := w.Commit(w.commit(lists(acme, nil)), lists(acme, nil), note(seq)); err != nil {
			t.Fatal(err)
		}
	}
	check(3, 1, 2, 3)
	if err := j.Trim(2); err != nil {
		t.Fatal(err)
	}
	check(3, 3)
	if err := j.PutHead(audit.Note{Seq: 9, Hash: [32]byte{9}}); err != nil {
		t.Fatal(err)
	}
	check(9, 3)
}

func note(seq uint64) audit.Note {
	return audit.Note{Seq: seq, Hash: [32]byte{byte(seq)}, Line: fmt.Appendf(nil, "line %d", seq)}
}

// testReaders reads while one writes: what is read is always one whole revision,
// in which two lists say the same.
func testReaders(t *testing.T, open Open) {
	w := write(t, open(t, store.Config{MaxRevisions: 10}))
	const commits = 60
	var done atomic.Bool
	var all sync.WaitGroup
	defer all.Wait()
	defer done.Store(true)
	for range 4 {
		all.Go(func() {
			for !done.Load() && !t.Failed() {
				readTwins(t, w.Store)
			}
		})
	}
	for i := range commits {
		l := list(t, fmt.Sprintf("10.0.0.%d", i))
		w.put(policy.Image{Lists: map[policy.Place]*policy.List{acme: l, system: l}}, nil)
	}
	w.check()
}

func readTwins(t *testing.T, s Store) {
	now, err := s.Load()
	if err != nil {
		t.Error(err)
	}
	diff(t, "of one revision", now.Lists[acme], now.Lists[system])
	found, err := s.History(store.HistoryQuery{Name: "tenants/acme", Limit: 3})
	if err != nil {
		t.Error(err)
	}
	for i := 1; i < len(found); i++ {
		if found[i].Number != found[i-1].Number-1 {
			t.Errorf("history %v has a gap", numbers(found))
		}
	}
	_, err = s.Undo(s.Number(), nil)
	if pruned := new(policy.Pruned); err != nil && !errors.As(err, &pruned) { // it may be by then
		t.Error(err)
	}
}
