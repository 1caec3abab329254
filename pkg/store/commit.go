package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// ErrConflict says that the store has a commit of this number or a later one.
var ErrConflict = errors.New("another revision came first")

// commit is a policy.Commit on disk. Its image stands apart, so that who reads
// the history need not read all that ever stood.
type commit struct {
	Number   uint64         `json:"number"`
	Previous uint64         `json:"previous,omitempty"` // the commit before; shows what a damaged file lacks
	Time     time.Time      `json:"time"`
	Author   policy.Author  `json:"author"`
	Origin   string         `json:"origin,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Names    []string       `json:"names,omitempty"`
	Confirm  time.Time      `json:"confirm,omitzero"`
	Outcome  policy.Outcome `json:"outcome,omitempty"`
	Reverts  uint64         `json:"reverts,omitempty"`
}

func commitOf(c *policy.Commit, previous uint64) *commit {
	return &commit{
		c.Number, previous, c.Time, c.Author, c.Origin, c.Reason, c.Names, c.Confirm, c.Outcome, c.Reverts,
	}
}

func (c *commit) commit() *policy.Commit {
	return &policy.Commit{
		Number: c.Number, Time: c.Time, Author: c.Author, Origin: c.Origin, Reason: c.Reason, Names: c.Names,
		Confirm: c.Confirm, Outcome: c.Outcome, Reverts: c.Reverts,
	}
}

// Commit keeps a revision in one transaction: the records as they are after it,
// what is told of it, and its line of the journal. What c.Before says of a record
// is what history goes back to. A commit that c takes back is marked.
func (s *Store) Commit(c *policy.Commit, after policy.Image, note audit.Note) error {
	err := s.updateThen(
		func(tx *bbolt.Tx) error { return s.commit(tx, c, after, note) },
		func() { s.number.Store(c.Number) },
	)
	if err != nil {
		return fmt.Errorf("commit revision %d to %s: %w", c.Number, s.path, err)
	}
	return nil
}

func (s *Store) commit(tx *bbolt.Tx, c *policy.Commit, after policy.Image, note audit.Note) error {
	h, err := readHistory(tx)
	if err != nil {
		return err
	}
	if c.Number <= h.Number {
		return fmt.Errorf("%w: the store is at %d", ErrConflict, h.Number)
	}
	if err := h.putRecords(tx, after); err != nil {
		return err
	}
	if err := h.add(tx, c); err != nil {
		return err
	}
	if c.Reverts != 0 {
		if err := h.markReverted(tx, c.Reverts); err != nil {
			return err
		}
	}
	if err := h.prune(tx, s.cfg); err != nil {
		return err
	}
	if err := h.write(tx); err != nil {
		return err
	}
	return putNote(tx, note)
}

// putRecords writes in the order of the keys: bbolt takes a run of ascending keys
// many times faster than the same keys mixed.
func (h *history) putRecords(tx *bbolt.Tx, after policy.Image) error {
	values, err := records(after)
	if err != nil {
		return err
	}
	b := tx.Bucket(recordsBucket)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		h.Sum ^= sealOf(b.Get([]byte(name)))
		if values[name] == nil {
			err = b.Delete([]byte(name))
		} else {
			err = put(b, name, values[name])
		}
		if err != nil {
			return fmt.Errorf("keep %s: %w", name, err)
		}
		h.Sum ^= sealOf(b.Get([]byte(name)))
	}
	return nil
}

// Settle says how a commit that had to be confirmed ended.
func (s *Store) Settle(number uint64, o policy.Outcome, note audit.Note) error {
	err := s.update(func(tx *bbolt.Tx) error {
		h, err := readHistory(tx)
		if err != nil {
			return err
		}
		c, err := h.find(tx, number)
		if err != nil {
			return err
		}
		if c.Outcome != policy.Pending {
			return fmt.Errorf("it is %s, not pending", c.Outcome)
		}
		if err := h.settle(tx, c, o); err != nil {
			return err
		}
		if err := h.write(tx); err != nil {
			return err
		}
		return putNote(tx, note)
	})
	if err != nil {
		return fmt.Errorf("settle revision %d in %s: %w", number, s.path, err)
	}
	return nil
}
