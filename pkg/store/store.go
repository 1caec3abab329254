// Package store keeps on disk what enforcement can start from when the files
// cannot be read: the last revision in force, and the latest time the agent has
// seen.
//
// It is one bbolt file. A list has a key of its own, so that a change writes
// what changed; every value carries a checksum, because bbolt has one for its
// own pages only and a bit that turns in an address admits a stranger. A file
// that is cut short or damaged is an error which names it, never a panic and
// never half a revision.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/postern-io/postern/pkg/policy"
)

// Name is the store's file in its directory.
const Name = "postern.db"

// schema is the layout this package reads and writes.
const schema = 1

// lockWait is how long Open waits for another process to let go of the file.
const lockWait = time.Second

// DB is an open store. One goroutine uses it at a time.
type DB struct {
	path   string
	file   *os.File
	bolt   *bbolt.DB
	broken error // once set, bbolt may hold locks it will never release
	saved  *policy.Revision
	latest time.Time
}

// Open opens the store in dir, making both where there are none, and reads all
// of it.
func Open(dir string) (*DB, error) {
	db := &DB{path: filepath.Join(dir, Name)}
	if err := db.open(); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open %s: %w", db.path, err)
	}
	return db, nil
}

func (db *DB) open() error {
	if _, err := os.Stat(db.path); errors.Is(err, fs.ErrNotExist) {
		if err := create(db.path); err != nil {
			return err
		}
	}
	return db.guard(func() (err error) {
		if db.bolt, err = openBolt(db.path, &db.file); err != nil {
			return err
		}
		return db.bolt.View(db.load)
	})
}

// create makes an empty store aside and renames it, so that a file without a
// schema is damage and never a beginning.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	aside := path + ".new"
	if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := openBolt(aside, new(*os.File))
	if err != nil {
		return err
	}
	if err := errors.Join(db.Update(layOut), db.Close()); err != nil {
		return err
	}
	if err := os.Rename(aside, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// openBolt opens path and leaves the file it opened in file: should bbolt panic
// halfway, that is the only way to release its lock.
func openBolt(path string, file **os.File) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      lockWait,
		FreelistType: bbolt.FreelistMapType,
		OpenFile: func(name string, flag int, perm os.FileMode) (_ *os.File, err error) {
			*file, err = os.OpenFile(name, flag, perm)
			return *file, err
		},
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, errors.New("another process has it open")
	}
	return db, err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Revision is the revision last saved; nil where there is none.
func (db *DB) Revision() *policy.Revision { return db.saved }

// Latest is the latest time recorded; zero where there is none.
func (db *DB) Latest() time.Time { return db.latest }

// Close releases the file.
func (db *DB) Close() error {
	switch {
	case db.broken != nil && db.file != nil:
		return errors.Join(unlock(db.file), db.file.Close())
	case db.bolt != nil:
		return db.bolt.Close()
	}
	return nil
}

// unlock lets go of a file that bbolt still maps: the map keeps the lock alive
// beyond the descriptor.
func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

// guard runs f, in which bbolt reads its map of the file. On damage bbolt
// panics, and on a file cut short the processor faults; both become an error,
// and nothing more is asked of this DB.
func (db *DB) guard(f func() error) (err error) {
	if db.broken != nil {
		return db.broken
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			db.broken = damage(r)
			err = db.broken
		}
	}()
	return f()
}

func damage(panicked any) error {
	if _, fault := panicked.(interface{ Addr() uintptr }); fault {
		return errors.New("the file is damaged: cut short")
	}
	return fmt.Errorf("the file is damaged: %v", panicked)
}
