package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockWait is how long an opening waits for another process to let go.
const lockWait = time.Second

// file is an open bbolt file that outlives its own damage.
type file struct {
	path    string
	os      *os.File
	bolt    *bbolt.DB
	writing sync.Mutex // before bbolt's own, which a writer that panics never releases

	mu     sync.Mutex
	broken error // once set, bbolt may hold locks it will never release
	size   int64 // as last seen; bbolt's files only grow
}

// openFile opens the file at path, making one as layOut says where there is
// none.
func openFile(path string, layOut func(*bbolt.Tx) error) (*file, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path, layOut); err != nil {
			return nil, err
		}
	}
	if err := checkSize(path); err != nil {
		return nil, err
	}
	return openAs(path, false)
}

func openAs(path string, readOnly bool) (*file, error) {
	f := &file{path: path}
	err := f.guard(func() (err error) {
		f.bolt, err = openBolt(path, &f.os, readOnly)
		return err
	})
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// checkSize refuses a file that ends before its pages do. To write, bbolt looks at
// once for the list of free pages, and beyond the file's end it finds whatever the
// process has in its memory there.
func checkSize(path string) error {
	f, err := openAs(path, true)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.view(func(tx *bbolt.Tx) error {
		if tx.Size() > f.size {
			return errShortened
		}
		return nil
	})
}

// create makes a file aside and renames it, so that a file without a schema is
// damage and never a beginning.
func create(path string, layOut func(*bbolt.Tx) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	aside := path + ".new"
	if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := openBolt(aside, new(*os.File), false)
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
//
// The list of free pages is written with each commit (NoFreelistSync is not set):
// without it bbolt reads the file in a goroutine of its own, where damage ends
// the process, and commits take as long.
func openBolt(path string, file **os.File, readOnly bool) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      lockWait,
		ReadOnly:     readOnly,
		FreelistType: bbolt.FreelistMapType,
		OpenFile: func(name string, flag int, perm os.FileMode) (_ *os.File, err error) {
			*file, err = os.OpenFile(name, flag, perm)
			return *file, err
		},
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, errInUse
	}
	return db, err
}

var errInUse = errors.New("another process has it open")

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f *file) view(do func(*bbolt.Tx) error) error {
	return f.guard(func() error { return f.bolt.View(do) })
}

// Close releases the file.
func (f *file) Close() error {
	switch broken := f.Err(); {
	case broken != nil && f.os != nil:
		return errors.Join(unlock(f.os), f.os.Close())
	case f.bolt != nil:
		return f.bolt.Close()
	}
	return nil
}

// unlock lets go of a file that bbolt still maps: the map keeps the lock alive
// beyond the descriptor.
func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

// guard runs do, in which bbolt reads its map of the file. On damage bbolt
// panics, and on a file cut short the processor faults; both become an error,
// and nothing more is asked of this file.
func (f *file) guard(do func() error) (err error) {
	if err := f.whole(); err != nil {
		return err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = f.breaks(damage(r))
		}
	}()
	return do()
}

func damage(panicked any) error {
	if _, fault := panicked.(interface{ Addr() uintptr }); fault {
		return errShortened
	}
	return fmt.Errorf("the file is damaged: %v", panicked)
}

var (
	errShortened = errors.New("the file is damaged: cut short")
	errRemoved   = errors.New("the file was removed")
)

// whole looks at the file from outside: a page that is gone would else be noticed
// when it is wanted, or never by who writes another in its place.
func (f *file) whole() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken == nil && f.os != nil {
		f.broken = f.shrunk()
	}
	return f.broken
}

// shrunk holds mu from the asking to the comparing, or a file that grows between
// would be smaller than itself.
func (f *file) shrunk() error {
	info, err := f.os.Stat()
	if err != nil {
		return err
	}
	before := f.size
	f.size = max(f.size, info.Size())
	switch sys, ok := info.Sys().(*syscall.Stat_t); {
	case ok && sys.Nlink == 0:
		return errRemoved
	case info.Size() < before:
		return errShortened
	}
	return nil
}

// Err is why nothing more is asked of the file until it is opened again.
func (f *file) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.broken
}

func (f *file) breaks(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken == nil {
		f.broken = err
	}
	return f.broken
}
