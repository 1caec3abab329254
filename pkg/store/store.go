// Package store keeps on disk what people wrote, and what enforcement can start
// from when that or the files cannot be read.
//
// The Store is what people wrote: tenants, lists, endpoints, the filtering
// switch, access keys and secrets, the history of all but the last two, and the
// lines of the journal that are on their way to it. The Snapshot beside it is
// the whole revision last in force, files' lists included, and the latest time
// the agent has seen; from it Restore makes a Store that was lost.
//
// Each is one bbolt file. A record has a key of its own, so that a change writes
// what changed; every value carries a checksum, because bbolt has one for its
// own pages only and a bit that turns in an address admits a stranger. A file
// that is cut short or damaged is an error which names it, never a panic and
// never half a revision.
package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/policy"
)

// StoreName is the store's file in its directory.
const StoreName = "postern.db"

// Store keeps what people wrote. Many may use it at once.
type Store struct {
	*file
	cfg    Config
	id     string
	number atomic.Uint64
	// edition grows with each change of keys and secrets; never zero.
	edition atomic.Uint64
}

// Config is how much of the past a Store keeps.
type Config struct {
	MaxRevisions    int // 0: 10,000
	MaxHistoryBytes int // 0: 256 MiB
}

const (
	defaultRevisions    = 10_000
	defaultHistoryBytes = 256 << 20
)

// Open opens the store in dir, making both where there are none, and compares
// all of it with its checksums: damage is found at the start, while there is
// still a choice, and not when a list is wanted.
func Open(dir string, cfg Config) (*Store, error) {
	if cfg.MaxRevisions == 0 {
		cfg.MaxRevisions = defaultRevisions
	}
	if cfg.MaxHistoryBytes == 0 {
		cfg.MaxHistoryBytes = defaultHistoryBytes
	}
	s := &Store{cfg: cfg}
	s.edition.Store(1)
	path := filepath.Join(dir, StoreName)
	if err := s.open(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return s, nil
}

func (s *Store) open(path string) (err error) {
	if s.file, err = openFile(path, layOutStore); err != nil {
		return err
	}
	if err := s.view(s.take); err != nil {
		_ = s.Close()
		return err
	}
	return nil
}

func layOutStore(tx *bbolt.Tx) error { return layOutAs(tx, rand.Text(), history{}) }

// layOutAs lays out the store of this id, with the history of another behind it.
func layOutAs(tx *bbolt.Tx, id string, h history) error {
	if err := storeLayout.make(tx); err != nil {
		return err
	}
	if err := put(tx.Bucket(metaBucket), idKey, []byte(id)); err != nil {
		return err
	}
	return h.write(tx)
}

func (s *Store) take(tx *bbolt.Tx) error {
	if err := storeLayout.check(tx); err != nil {
		return err
	}
	if err := storeLayout.verify(tx); err != nil {
		return err
	}
	id, err := get(tx.Bucket(metaBucket), idKey)
	if err != nil {
		return err
	}
	h, err := readHistory(tx)
	if err != nil {
		return err
	}
	if h.Sum != sumOf(tx.Bucket(recordsBucket)) {
		return errors.New("records: damaged: some are missing, or as they were before")
	}
	s.id = string(id)
	s.number.Store(h.Number)
	return nil
}

func sumOf(b *bbolt.Bucket) (sum uint32) {
	for _, sealed := range entries(b) {
		sum ^= sealOf(sealed)
	}
	return sum
}

// entries are the keys and values of a bucket.
func entries(b *bbolt.Bucket) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		c := b.Cursor()
		for k, v := c.First(); k != nil && yield(k, v); k, v = c.Next() {
		}
	}
}

// ID tells this store from others; it was made with the file.
func (s *Store) ID() string { return s.id }

// Number is that of the last commit; 0 where there is none.
func (s *Store) Number() uint64 { return s.number.Load() }

// Load reads every record.
func (s *Store) Load() (policy.Image, error) {
	var all policy.Image
	err := s.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(recordsBucket).ForEach(func(k, v []byte) error {
			value, err := unseal(string(k), v)
			if err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
			return readRecord(string(k), value, &all)
		})
	})
	if err != nil {
		return policy.Image{}, fmt.Errorf("load %s: %w", s.path, err)
	}
	return all, nil
}
