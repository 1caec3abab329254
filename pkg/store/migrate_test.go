package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/policy"
)

// schema1 is a directory as the first postern left it.
func schema1(t *testing.T) string {
	dir := t.TempDir()
	db, err := bbolt.Open(filepath.Join(dir, StoreName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	one := &policy.List{Entries: []policy.Entry{{Text: "10.0.0.1", Range: parse(t, "10.0.0.1")}}}
	values := map[string]map[string]string{
		"meta": {
			"schema": "1", "clock": "2026-05-01T12:00:00Z", "settings": "{}",
			"revision": `{"number":7,"since":"2026-05-01T12:00:00Z"}`,
			"state":    `{"Mode":1,"System":null,"Tenants":{},"Endpoints":null}`,
		},
		"tenants": {
			"acme": `{"hosts":["acme.example.com"],"pos":{"file":"acme.yaml","line":1}}`,
			"none": `{"hosts":null,"pos":{"file":"none.yaml","line":2}}`,
		},
		"lists": {"tenants/acme/*": string(appendList(nil, one))},
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for bucket, of := range values {
			b, err := tx.CreateBucket([]byte(bucket))
			if err != nil {
				return err
			}
			for key, value := range of {
				if err := put(b, key, []byte(value)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestMigrate(t *testing.T) {
	dir := schema1(t)
	before, err := os.ReadFile(filepath.Join(dir, StoreName))
	if err != nil {
		t.Fatal(err)
	}
	for _, opening := range []string{"first", "again"} {
		s := open(t, dir)
		rev := s.Revision()
		if rev == nil || rev.Number != 7 || rev.State.Mode != policy.Monitor || !s.Latest().Equal(noon) {
			t.Fatalf("%s: revision %+v, latest %v; want 7, in monitor, noon", opening, rev, s.Latest())
		}
		acme, none := rev.State.Tenants.Get("acme"), rev.State.Tenants.Get("none")
		if acme.Owner != "acme.yaml" || len(acme.Lists["*"].Entries) != 1 || none.Owner != "" {
			t.Errorf("%s: acme %+v, none %+v; want acme its file's and nobody none's", opening, acme, none)
		}
		s.Close()
	}
	kept, err := os.ReadFile(filepath.Join(dir, "postern.db.schema-1"))
	if err != nil || string(kept) != string(before) {
		t.Errorf("copy: %d bytes, %v; want the %d there were", len(kept), err, len(before))
	}
	s, err := Open(dir, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Number() != 0 {
		t.Errorf("store at %d, want a new one", s.Number())
	}
}

// TestMigrateTornApart ends between the steps of the migration.
func TestMigrateTornApart(t *testing.T) {
	tests := []struct {
		name string
		tear func(dir string) error
	}{
		{name: "copied", tear: func(dir string) error {
			return copyFile(filepath.Join(dir, StoreName), filepath.Join(dir, "postern.db.schema-1"))
		}},
		{name: "renamed", tear: func(dir string) error {
			return os.Rename(filepath.Join(dir, StoreName), filepath.Join(dir, SnapshotName))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := schema1(t)
			if err := tt.tear(dir); err != nil {
				t.Fatal(err)
			}
			if rev := open(t, dir).Revision(); rev == nil || rev.Number != 7 {
				t.Errorf("revision %+v, want 7", rev)
			}
		})
	}
}

func TestOpenIsNoSnapshot(t *testing.T) {
	dir := schema1(t)
	_, err := Open(dir, Config{})
	want := "open " + filepath.Join(dir, StoreName) + ": schema 1 is the snapshot of an older postern; move the file away"
	if text(err) != want {
		t.Errorf("error = %q, want %q", text(err), want)
	}
}

// TestSharedStamps shows that the entries of one write have one stamp again.
func TestSharedStamps(t *testing.T) {
	one := policy.Stamp{Author: "ann", Created: noon, Modified: noon}
	two, equal := one, one
	two.Author = "bob"
	l := &policy.List{Entries: []policy.Entry{{By: &one}, {By: &two}, {}, {By: &equal}, {By: &two}}}
	read, err := readList(string(appendList(nil, l)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(l, read, sameValue); diff != "" {
		t.Errorf("read again (-written +read):\n%s", diff)
	}
	check := func(what string, e []policy.Entry) {
		t.Helper()
		if e[0].By != e[3].By || e[1].By != e[4].By || e[0].By == e[1].By || e[2].By != nil {
			t.Errorf("%s: stamps are not shared as they were", what)
		}
	}
	check("binary", read.Entries)
	var image policy.Image
	values, err := records(policy.Image{Endpoints: map[string]*policy.Endpoint{"data": {Policies: l}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := readRecord("endpoints/data", values["endpoints/data"], &image); err != nil {
		t.Fatal(err)
	}
	check("JSON", image.Endpoints["data"].Policies.Entries)
}
