package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// adopt gives the snapshot of schema 1 the name it has now, and leaves a copy
// under a name that says what it is. Killed anywhere, it is done again.
func adopt(dir string) error {
	from, to := filepath.Join(dir, StoreName), filepath.Join(dir, SnapshotName)
	if exists(to) || !exists(from) {
		return nil
	}
	old, err := isSchema1(from)
	if err != nil || !old {
		return err
	}
	if err := copyFile(from, from+".schema-1"); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(dir)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// isSchema1 looks into a file. Damage is none of its affairs: who opens the file
// as what it is today names it.
func isSchema1(path string) (old bool, err error) {
	f, err := openFile(path, nil)
	switch {
	case errors.Is(err, errInUse):
		return false, err
	case err != nil:
		return false, nil
	}
	_ = f.view(func(tx *bbolt.Tx) error {
		n, err := readSchema(tx)
		old = err == nil && n == 1
		return nil
	})
	return old, f.Close()
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(to+".new", to)
}

// migrate brings a snapshot of schema 1 forward. What schema 2 adds is not there
// to be read, and reads as nothing; but a tenant with hosts had them from a file,
// and nobody else may write its record.
func migrate(tx *bbolt.Tx) error {
	for _, name := range snapshotLayout {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	if err := ownTenants(tx.Bucket(tenantsBucket)); err != nil {
		return err
	}
	return putSchema(tx)
}

func ownTenants(b *bbolt.Bucket) error {
	owned := map[string]tenant{}
	err := b.ForEach(func(k, v []byte) error {
		t, err := readTenant(string(k), v)
		if len(t.Hosts) > 0 {
			t.Owner = t.Pos.File
			owned[string(k)] = t
		}
		return err
	})
	if err != nil {
		return err
	}
	for id, t := range owned {
		if err := putJSON(b, id, t); err != nil {
			return fmt.Errorf("tenant %s: %w", id, err)
		}
	}
	return nil
}
