package store

import (
	"fmt"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/policy"
)

// SnapshotName is the snapshot's file in its directory.
const SnapshotName = "snapshot.db"

// Snapshot keeps the whole revision last in force, whoever wrote its parts, and
// the latest time seen. One goroutine uses it at a time.
type Snapshot struct {
	*file
	saved    *policy.Revision
	latest   time.Time
	store    *Store // nil: nothing to mirror
	mirrored uint64 // the vault's edition that was mirrored last
}

// OpenSnapshot opens the snapshot in dir, making both where there are none, and
// reads all of it. It comes before Open: what schema 1 kept under the store's
// name is a snapshot.
func OpenSnapshot(dir string) (*Snapshot, error) {
	s := &Snapshot{}
	path := filepath.Join(dir, SnapshotName)
	if err := s.open(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return s, nil
}

func (s *Snapshot) open(path string) (err error) {
	if err := adopt(filepath.Dir(path)); err != nil {
		return err
	}
	if s.file, err = openFile(path, snapshotLayout.make); err != nil {
		return err
	}
	if err = s.migrate(); err == nil {
		err = s.view(s.load)
	}
	if err != nil {
		_ = s.Close()
	}
	return err
}

// migrate writes only where there is something to write: a transaction is two
// syncs.
func (s *Snapshot) migrate() error {
	current := false
	err := s.view(func(tx *bbolt.Tx) error {
		n, err := readSchema(tx)
		current = n == schema
		return err
	})
	if err != nil || current {
		return err
	}
	return s.update(migrate)
}

// Revision is the revision last saved; nil where there is none.
func (s *Snapshot) Revision() *policy.Revision { return s.saved }

// Latest is the latest time recorded; zero where there is none.
func (s *Snapshot) Latest() time.Time { return s.latest }

// Mirror has each Save and Record keep what a store holds beside records: keys,
// secrets and where the journal ends. Restore needs them.
func (s *Snapshot) Mirror(of *Store) { s.store = of }
