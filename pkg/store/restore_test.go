package store

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// kept is a directory whose snapshot is of revision 4 and whose store is at 5.
func kept(t *testing.T) (dir, path, id string) {
	dir, path = filled(t, 40)
	snap, st := open(t, dir), openStore(t, dir)
	defer snap.Close()
	defer st.Close()
	at4, err := st.Undo(4, nil)
	if err != nil {
		t.Fatal(err)
	}
	now, err := st.Load()
	if err != nil {
		t.Fatal(err)
	}
	state := (&policy.State{}).WithStored(at4.Over(now))
	if err := st.PutSecret("signing", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	snap.Mirror(st)
	if err := snap.Save(&policy.Revision{Number: 4, Since: noon, State: state, Store: st.ID()}, noon); err != nil {
		t.Fatal(err)
	}
	return dir, path, st.ID()
}

func TestRestore(t *testing.T) {
	turn := func(bucket []byte, key string) func(string) error {
		return func(path string) error {
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(db.Update(func(tx *bbolt.Tx) error {
				v := bytes.Clone(tx.Bucket(bucket).Get([]byte(key)))
				v[len(v)-1] ^= 1
				return tx.Bucket(bucket).Put([]byte(key), v)
			}), db.Close())
		}
	}
	afterSnapshot := "what was written after 2026-05-01T12:00:00Z"
	keysMirrored := "what happened to keys since the snapshot: look through them, some may have been deleted"
	secretsMirrored := "what happened to secrets since the snapshot: look through them, some may have been deleted"
	tests := []struct {
		name   string
		damage func(path string) error
		want   Restored
		head   uint64
	}{
		{
			name: "missing", damage: os.Remove, head: 5,
			want: Restored{Revision: 4, Time: noon, Lost: []string{afterSnapshot, "the history", keysMirrored, secretsMirrored}},
		},
		{
			name: "cut", damage: func(path string) error { return os.Truncate(path, 0x2000) }, head: 5,
			want: Restored{
				Revision: 4, Time: noon, Damage: "the file is damaged: cut short",
				Lost: []string{afterSnapshot, "the history", keysMirrored, secretsMirrored},
			},
		},
		{
			name: "another-store", head: 5,
			damage: func(path string) error {
				if err := os.Remove(path); err != nil {
					return err
				}
				s, err := Open(filepath.Dir(path), Config{})
				if err != nil {
					return err
				}
				return errors.Join(s.PutKey(access.Key{ID: "foreign"}, audit.Note{}), s.Close())
			},
			want: Restored{
				Revision: 4, Time: noon, Damage: "it is another store than the snapshot's",
				Lost: []string{afterSnapshot, "the history", keysMirrored, secretsMirrored},
			},
		},
		{
			name: "record", damage: turn(recordsBucket, "tenants/5/*"), head: 5,
			want: Restored{
				Revision: 4, Time: noon, Damage: "records tenants/5/*: damaged: its checksum differs", Revisions: 4,
				Lost: []string{afterSnapshot},
			},
		},
		{
			name: "old-commit", damage: turn(commitsBucket, numberKey(2)), head: 5,
			want: Restored{
				Revision: 5, Time: noon, Damage: "commits 2: damaged: its checksum differs", Revisions: 3,
				Lost: []string{"the history before revision 3"},
			},
		},
		{
			name: "key", damage: turn(keysBucket, "k1"), head: 5,
			want: Restored{
				Revision: 5, Time: noon, Damage: "keys k1: damaged: its checksum differs", Revisions: 5,
				Lost: []string{keysMirrored},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, path, id := kept(t)
			if err := tt.damage(path); err != nil {
				t.Fatal(err)
			}
			got, err := Restore(dir)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want.Damage != "" {
				tt.want.Aside = path + ".damaged-1"
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("restored (-want +got):\n%s", diff)
			}
			if got.Aside != "" && !exists(got.Aside) {
				t.Errorf("%s is not there", got.Aside)
			}
			checkRestored(t, dir, id, got, tt.head)
		})
	}
}

// checkRestored looks at the store that was made, and goes on with it.
func checkRestored(t *testing.T, dir, id string, done *Restored, head uint64) {
	t.Helper()
	s := openStore(t, dir)
	if s.ID() != id || s.Number() < done.Revision {
		t.Errorf("id %s, number %d; want %s, at least %d", s.ID(), s.Number(), id, done.Revision)
	}
	now, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	last := now.Lists[tenantList(5)].Entries[0].Text // revision 5 changed it from what 1 said
	if want := map[uint64]string{4: "10.1.0.5", 5: "10.5.0.5"}[done.Revision]; len(now.Lists) != 40 || last != want {
		t.Errorf("%d lists, the last changed one of %s; want 40, %s", len(now.Lists), last, want)
	}
	keys, err := s.Keys()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]access.Key{{ID: "k1"}}, keys); diff != "" {
		t.Errorf("keys:\n%s", diff)
	}
	if secret, err := s.Secret("signing"); err != nil || string(secret) != "secret" {
		t.Errorf("secret = %q, %v", secret, err)
	}
	if note, err := s.Journal().Head(); err != nil || note.Seq != head {
		t.Errorf("head %d, %v; want %d", note.Seq, err, head)
	}
	history, err := s.History(HistoryQuery{})
	if err != nil || len(history) != done.Revisions {
		t.Errorf("%d revisions, %v; want %d", len(history), err, done.Revisions)
	}
	commitLists(t, s, s.Number()+1, 1)
	s.Close()
	if _, err := Restore(dir); !errors.Is(err, ErrWhole) {
		t.Errorf("restored again: error = %v, want ErrWhole", err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	tests := []struct {
		name string
		dir  func(t *testing.T) string
		err  string // after "restore <path>: "
	}{
		{name: "whole", dir: func(t *testing.T) string { dir, _, _ := kept(t); return dir }, err: ErrWhole.Error()},
		{
			name: "no-revision", dir: func(t *testing.T) string { dir, _ := filled(t, 1); return dir },
			err: "SNAPSHOT is of no store",
		},
		{
			name: "in-use", dir: func(t *testing.T) string { dir, _, _ := kept(t); openStore(t, dir); return dir },
			err: "another process has it open",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := tt.dir(t)
			_, err := Restore(dir)
			got := text(err)
			want := "restore " + filepath.Join(dir, StoreName) + ": " + tt.err
			want = string(bytes.ReplaceAll([]byte(want), []byte("SNAPSHOT"), []byte(filepath.Join(dir, SnapshotName))))
			if got != want {
				t.Errorf("error = %q, want %q", got, want)
			}
		})
	}
}

// TestRestoreOverwritten overwrites each page in turn: what is restored is a store
// of revision 4 or 5, whole, and no page keeps it from being made.
func TestRestoreOverwritten(t *testing.T) {
	dir, path, id := kept(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for at := 0; at < len(whole); at += page {
		damaged := append(append(bytes.Clone(whole[:at]), bytes.Repeat([]byte{0x5a}, page)...), whole[at+page:]...)
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		done, err := Restore(dir)
		if errors.Is(err, ErrWhole) { // a page that nothing is in
			continue
		}
		if err != nil {
			t.Fatalf("page %d: %v", at/page, err)
		}
		s := openStore(t, dir)
		now, err := s.Load()
		if err != nil {
			t.Fatal(err)
		}
		want := map[uint64]string{4: "10.1.0.5", 5: "10.5.0.5"}[done.Revision]
		if got := now.Lists[tenantList(5)].Entries[0].Text; s.ID() != id || got != want {
			t.Errorf("page %d: id %s, %s at revision %d; want %s, %s", at/page, s.ID(), got, done.Revision, id, want)
		}
		s.Close()
	}
}

// TestMirror shows what a snapshot knows of a store's keys.
func TestMirror(t *testing.T) {
	dir, _ := filled(t, 1)
	snap, st := open(t, dir), openStore(t, dir)
	snap.Mirror(st)
	for _, step := range []struct {
		change func() error
		want   []string
	}{
		{change: func() error { return nil }, want: []string{"k1"}},
		{change: func() error { return st.PutKey(access.Key{ID: "k2"}, audit.Note{}) }, want: []string{"k1", "k2"}},
		{change: func() error { return st.DeleteKey("k1", audit.Note{}) }, want: []string{"k2"}},
	} {
		if err := errors.Join(step.change(), snap.Record(noon)); err != nil {
			t.Fatal(err)
		}
		var v vault
		if err := snap.view(v.readAll); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, slices.Sorted(maps.Keys(v.keys))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	}
	st.Close() // a store that cannot be read keeps nothing from being recorded
	if err := snap.Record(noon); err != nil {
		t.Error(err)
	}
}
