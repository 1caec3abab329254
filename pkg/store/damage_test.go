package store

import (
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/policy"
)

// withBolt changes a file behind the back of who keeps it.
func withBolt(t *testing.T, path string, f func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(f); err != nil {
		t.Fatal(err)
	}
}

func TestOpenSnapshotRefuses(t *testing.T) {
	list := "tenants/acme/*"
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
			name:   "older-schema",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(metaBucket), schemaKey, []byte("0")) },
			err:    "schema 0 was never written by a postern",
		},
		{
			name:   "no-number",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(metaBucket), schemaKey, []byte("one")) },
			err:    `schema "one": not a number`,
		},
		{
			name:   "no-schema",
			change: func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete([]byte(schemaKey)) },
			err:    "schema: missing",
		},
		{
			name:   "another-program's",
			change: func(tx *bbolt.Tx) error { return tx.DeleteBucket(metaBucket) },
			err:    `no bucket "meta": damaged, or not a file of postern's`,
		},
		{
			name: "turned-bit",
			change: func(tx *bbolt.Tx) error {
				b := tx.Bucket(listsBucket)
				v := append([]byte(nil), b.Get([]byte(list))...)
				v[len(v)-1] ^= 1
				return b.Put([]byte(list), v)
			},
			err: "list tenants/acme/*: damaged: its checksum differs",
		},
		{
			name: "value-of-another-key",
			change: func(tx *bbolt.Tx) error {
				b := tx.Bucket(listsBucket)
				return b.Put([]byte("system/*"), append([]byte(nil), b.Get([]byte(list))...))
			},
			err: "list system/*: damaged: its checksum differs",
		},
		{
			name:   "unknown-field",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(metaBucket), stateKey, []byte(`{"Closed":true}`)) },
			err:    `state: json: unknown field "Closed"`,
		},
		{
			name:   "list-without-tenant",
			change: func(tx *bbolt.Tx) error { return tx.Bucket(tenantsBucket).Delete([]byte("acme")) },
			err:    "list tenants/acme/*: its tenant has no record",
		},
		{
			name:   "list-cut-short",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(listsBucket), list, []byte{0, 0}) },
			err:    "list tenants/acme/*: ends in the middle",
		},
		{
			name:   "no-list",
			change: func(tx *bbolt.Tx) error { return put(tx.Bucket(listsBucket), "tenants/acme", nil) },
			err:    `list "tenants/acme": not the name of a list`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			db := open(t, dir)
			if err := db.Save(revision(t), noon); err != nil {
				t.Fatal(err)
			}
			db.Close()
			withBolt(t, filepath.Join(dir, SnapshotName), tt.change)
			_, err := OpenSnapshot(dir)
			if want := "open " + filepath.Join(dir, SnapshotName) + ": " + tt.err; text(err) != want {
				t.Errorf("error = %q,\n       want %q", text(err), want)
			}
			withBolt(t, filepath.Join(dir, SnapshotName), func(*bbolt.Tx) error { return nil }) // nothing holds it any more
		})
	}
}

// large is a revision of many pages.
func large(t testing.TB, tenants int) *policy.Revision {
	rev := revision(t)
	rev.State.Tenants = policy.Map[policy.Tenant]{}
	for i := range tenants {
		l := &policy.List{}
		for j := range 8 {
			a := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), byte(j)})
			l.Entries = append(l.Entries, policy.Entry{Text: a.String(), Range: parse(t, a.String())})
		}
		id := strconv.Itoa(i)
		rev.State.Tenants = rev.State.Tenants.With(id, &policy.Tenant{ID: id, Lists: map[string]*policy.List{"*": l}})
	}
	return rev
}

// TestOpenSnapshotCutShort cuts a store at every page: never a panic, and whatever
// opens is the whole revision.
func TestOpenSnapshotCutShort(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	if err := db.Save(large(t, 500), noon); err != nil {
		t.Fatal(err)
	}
	db.Close()
	whole, err := os.ReadFile(filepath.Join(dir, SnapshotName))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for size := 0; size < len(whole); size += os.Getpagesize() {
		path := filepath.Join(dir, SnapshotName)
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := OpenSnapshot(dir)
		if err != nil {
			refused++
			continue
		}
		if got := db.Revision().State.Tenants.Len(); got != 500 {
			t.Errorf("cut to %d of %d bytes: opened with %d tenants of 500", size, len(whole), got)
		}
		db.Close()
	}
	if refused == 0 {
		t.Error("no cut was noticed")
	}
}

// TestOpenSnapshotDamaged overwrites each page in turn, then closes and opens again as a
// restarted agent would.
func TestOpenSnapshotDamaged(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	if err := db.Save(large(t, 100), noon); err != nil {
		t.Fatal(err)
	}
	db.Close()
	path := filepath.Join(dir, SnapshotName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for at := 0; at < len(whole); at += page {
		for _, junk := range []byte{0, 0x5a, 0xff} {
			damaged := append([]byte(nil), whole...)
			for i := range page {
				damaged[at+i] = junk
			}
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := OpenSnapshot(dir)
			if err != nil {
				continue
			}
			if rev := db.Revision(); rev != nil && rev.State.Tenants.Len() != 100 {
				t.Errorf("page %d of %#x: opened with %d tenants of 100", at/page, junk, rev.State.Tenants.Len())
			}
			db.Close()
		}
	}
}

// TestSnapshotCutShortWhileOpen shows that a file cut under a running agent fails the
// writing, not the agent.
func TestSnapshotCutShortWhileOpen(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	if err := db.Save(large(t, 500), noon); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, SnapshotName)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	want := "save revision 7 in " + path + ": the file is damaged: cut short"
	for range 2 { // and the second does not wait for a lock the first left
		if got := text(db.Save(large(t, 600), noon)); got != want {
			t.Errorf("error = %q, want %q", got, want)
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
