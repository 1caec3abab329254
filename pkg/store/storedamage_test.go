package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

func openStore(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func tenantList(i int) policy.Place {
	return policy.Place{Scope: policy.ScopeTenant, Tenant: fmt.Sprint(i), Resource: "*"}
}

// commitLists makes a commit of one list, and of as many more as say so.
func commitLists(t testing.TB, s *Store, number uint64, values ...int) {
	t.Helper()
	now, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	after := policy.Image{Lists: map[policy.Place]*policy.List{}}
	before := policy.Image{Lists: map[policy.Place]*policy.List{}}
	for _, i := range values {
		text := fmt.Sprintf("10.%d.%d.%d", number%256, i>>8, i&255)
		after.Lists[tenantList(i)] = &policy.List{Entries: []policy.Entry{{Text: text, Range: parse(t, text)}}}
		before.Lists[tenantList(i)] = now.Lists[tenantList(i)]
	}
	c := &policy.Commit{Number: number, Time: noon, Names: after.Names(), Before: before}
	note := audit.Note{Seq: number, Hash: [32]byte{byte(number)}, Line: fmt.Appendf(nil, "line %d", number)}
	if err := s.Commit(c, after, note); err != nil {
		t.Fatal(err)
	}
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// filled is a store of many pages with a history, closed.
func filled(t testing.TB, lists int) (dir, path string) {
	dir = t.TempDir()
	s := openStore(t, dir)
	commitLists(t, s, 1, upTo(lists)...)
	for n := uint64(2); n < 6; n++ {
		commitLists(t, s, n, int(n))
	}
	if err := s.PutKey(access.Key{ID: "k1"}, audit.Note{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, StoreName)
}

func TestOpenRefuses(t *testing.T) {
	const list = "tenants/3/*"
	turn := func(b *bbolt.Bucket, key string) error {
		v := bytes.Clone(b.Get([]byte(key)))
		v[len(v)-1] ^= 1
		return b.Put([]byte(key), v)
	}
	tests := []struct {
		name   string
		change func(*bbolt.Tx) error
		err    string
	}{
		{
			name:   "newer-schema",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(metaBucket), schemaKey, []byte("3")) },
			err:    "schema 3 is newer than 2, the newest this postern reads; run the postern that wrote it",
		},
		{
			name:   "record",
			change: func(tx *bbolt.Tx) error { return turn(tx.Bucket(recordsBucket), list) },
			err:    "records tenants/3/*: damaged: its checksum differs",
		},
		{
			name:   "record-gone",
			change: func(tx *bbolt.Tx) error { return tx.Bucket(recordsBucket).Delete([]byte(list)) },
			err:    "records: damaged: some are missing, or as they were before",
		},
		{
			name: "record-of-yesterday",
			change: func(tx *bbolt.Tx) error {
				return put(tx.Bucket(recordsBucket), list, appendList(nil, &policy.List{}))
			},
			err: "records: damaged: some are missing, or as they were before",
		},
		{
			name:   "commit",
			change: func(tx *bbolt.Tx) error { return turn(tx.Bucket(commitsBucket), numberKey(4)) },
			err:    "commits 4: damaged: its checksum differs",
		},
		{
			name:   "index",
			change: func(tx *bbolt.Tx) error { return turn(tx.Bucket(namesBucket), nameKey(list, 3)) },
			err:    "names tenants/3/* 3: damaged: its checksum differs",
		},
		{
			name:   "key",
			change: func(tx *bbolt.Tx) error { return turn(tx.Bucket(keysBucket), "k1") },
			err:    "keys k1: damaged: its checksum differs",
		},
		{
			name:   "bucket-gone",
			change: func(tx *bbolt.Tx) error { return tx.DeleteBucket(keysBucket) },
			err:    `no bucket "keys": damaged, or not a file of postern's`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, path := filled(t, 10)
			withBolt(t, path, tt.change)
			_, err := Open(dir, Config{})
			if want := "open " + path + ": " + tt.err; text(err) != want {
				t.Errorf("error = %q,\n       want %q", text(err), want)
			}
		})
	}
}

// useAll asks everything of a store; whatever it answers, it answers.
func useAll(s *Store) error {
	_, load := s.Load()
	_, history := s.History(HistoryQuery{})
	_, revision := s.Revision(3)
	_, undo := s.Undo(0, nil)
	_, pending := s.Pending()
	_, keys := s.Keys()
	return errors.Join(load, history, revision, undo, pending, keys)
}

// TestOpenDamaged cuts a store at each page, and overwrites each in turn: never a
// panic, and whatever opens is whole.
func TestOpenDamaged(t *testing.T) {
	dir, path := filled(t, 300)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want policy.Image
	s := openStore(t, dir)
	if want, err = s.Load(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	refused := 0
	try := func(what string, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, Config{})
		if err != nil {
			refused++
			return
		}
		defer s.Close()
		if s.Number() == 0 { // nothing is left of it, and that is said otherwise
			return
		}
		got, err := s.Load()
		if err == nil && len(got.Lists) != len(want.Lists) {
			t.Errorf("%s: opened with %d lists of %d", what, len(got.Lists), len(want.Lists))
		}
		if err := useAll(s); err != nil {
			t.Errorf("%s: opened, and then: %v", what, err)
		}
	}
	page := os.Getpagesize()
	for at := 0; at < len(whole); at += page {
		try(fmt.Sprintf("cut at page %d", at/page), whole[:at])
		for _, junk := range []byte{0, 0x5a, 0xff} {
			damaged := append(append(bytes.Clone(whole[:at]), bytes.Repeat([]byte{junk}, page)...), whole[at+page:]...)
			try(fmt.Sprintf("page %d of %#x", at/page, junk), damaged)
		}
	}
	if refused == 0 {
		t.Error("no damage was noticed")
	}
}

// TestDamageWhileOpen shows that a file that is cut or taken away under a running
// agent fails what is asked of it, and not the agent.
func TestDamageWhileOpen(t *testing.T) {
	tests := []struct {
		name   string
		damage func(path string) error
		err    string
	}{
		{name: "cut-to-nothing", damage: func(path string) error { return os.Truncate(path, 0) }, err: "the file is damaged: cut short"},
		{name: "cut-in-half", damage: func(path string) error { return os.Truncate(path, 1<<15) }, err: "the file is damaged: cut short"},
		{name: "removed", damage: os.Remove, err: "the file was removed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, path := filled(t, 300)
			s := openStore(t, dir)
			if err := tt.damage(path); err != nil {
				t.Fatal(err)
			}
			want := "commit revision 9 to " + path + ": " + tt.err
			for range 2 { // and the second does not wait for a lock the first left
				if err := s.Commit(&policy.Commit{Number: 9}, policy.Image{}, audit.Note{}); text(err) != want {
					t.Errorf("error = %q, want %q", text(err), want)
				}
			}
			if err := useAll(s); err == nil {
				t.Error("reading it worked")
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestStoreKeepsAcrossOpenings(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	id := s.ID()
	commitLists(t, s, 3, 1, 2)
	want, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = openStore(t, dir)
	got, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameValue); diff != "" || s.ID() != id || s.Number() != 3 {
		t.Errorf("opened again: id %s (was %s), number %d (was 3), records:\n%s", s.ID(), id, s.Number(), diff)
	}
}
