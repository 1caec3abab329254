package store

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/policy"
)

// HistoryQuery asks for commits. Its zero value asks for all.
type HistoryQuery struct {
	Before uint64 // those with lower numbers; 0: all
	Limit  int    // at most so many; 0: all
	Name   string // that changed this record, or one below it: "tenants/acme", "system"
	Tenant string // that changed something of this tenant's
	Author string // made by who has this name
}

// History is the commits asked for, the newest first and without what stood
// before them.
func (s *Store) History(q HistoryQuery) ([]*policy.Commit, error) {
	var found []*policy.Commit
	err := s.view(func(tx *bbolt.Tx) error {
		commits := tx.Bucket(commitsBucket)
		for number := range q.numbers(tx) {
			key := numberKey(number)
			c, err := readCommit(key, commits.Get([]byte(key)))
			if err != nil {
				return err
			}
			if q.Author == "" || c.Author.Name == q.Author {
				found = append(found, c.commit())
			}
			if q.Limit > 0 && len(found) == q.Limit {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the history in %s: %w", s.path, err)
	}
	return found, nil
}

// numbers are those that may be meant, from the last.
func (q HistoryQuery) numbers(tx *bbolt.Tx) iter.Seq[uint64] {
	if q.Before == 0 {
		q.Before = ^uint64(0)
	}
	var indexed []map[uint64]bool
	if q.Name != "" {
		indexed = append(indexed, numbersOf(tx, q.Name, q.Before))
	}
	if q.Tenant != "" {
		indexed = append(indexed, numbersOf(tx, tenantPrefix+q.Tenant, q.Before))
	}
	if indexed == nil {
		return backwards(tx.Bucket(commitsBucket), q.Before)
	}
	var both []uint64
	for n := range indexed[0] {
		if indexed[len(indexed)-1][n] {
			both = append(both, n)
		}
	}
	slices.Sort(both)
	slices.Reverse(both)
	return slices.Values(both)
}

// backwards are the numbers below one, from the highest.
func backwards(b *bbolt.Bucket, before uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		c := b.Cursor()
		k, _ := c.Seek([]byte(numberKey(before)))
		if k == nil {
			k, _ = c.Last()
		}
		for ; k != nil; k, _ = c.Prev() {
			if n := keyNumber(k); n < before && !yield(n) {
				return
			}
		}
	}
}

// numbersOf are those of the commits that changed a record or one below it.
func numbersOf(tx *bbolt.Tx, name string, before uint64) map[uint64]bool {
	found := map[uint64]bool{}
	c := tx.Bucket(namesBucket).Cursor()
	for _, prefix := range []string{name + "\x00", name + "/"} {
		for k, _ := c.Seek([]byte(prefix)); k != nil && strings.HasPrefix(string(k), prefix); k, _ = c.Next() {
			_, number, _ := strings.Cut(string(k), "\x00")
			if n := keyNumber([]byte(number)); n < before {
				found[n] = true
			}
		}
	}
	return found
}

// Revision is one commit, and what stood before it.
func (s *Store) Revision(number uint64) (*policy.Commit, error) {
	var found *policy.Commit
	err := s.view(func(tx *bbolt.Tx) (err error) {
		h, err := readHistory(tx)
		if err != nil {
			return err
		}
		c, err := h.find(tx, number)
		if err == nil {
			found, err = c.whole(tx)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read revision %d in %s: %w", number, s.path, err)
	}
	return found, nil
}

// whole is c with its image.
func (c *commit) whole(tx *bbolt.Tx) (*policy.Commit, error) {
	all := c.commit()
	return all, readImageOf(tx, c.Number, nil, &all.Before)
}

// readImageOf reads what stood before a commit.
func readImageOf(tx *bbolt.Tx, number uint64, names func(string) bool, into *policy.Image) error {
	key := numberKey(number)
	value, err := unseal(key, tx.Bucket(imagesBucket).Get([]byte(key)))
	if err == nil {
		err = readImage(string(value), names, into)
	}
	if err != nil {
		return fmt.Errorf("what stood before revision %d: %w", number, err)
	}
	return nil
}

// Pending are the commits that wait to be confirmed, oldest first, and what stood
// before them.
func (s *Store) Pending() ([]*policy.Commit, error) {
	var found []*policy.Commit
	err := s.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(pendingBucket).ForEach(func(k, _ []byte) error {
			c, err := readCommit(string(k), tx.Bucket(commitsBucket).Get(k))
			if err != nil {
				return err
			}
			all, err := c.whole(tx)
			found = append(found, all)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read what is to be confirmed in %s: %w", s.path, err)
	}
	return found, nil
}

// Undo is the image that brings the records of these names back to what they were
// at a revision; nil names are all. names must not ask the store.
func (s *Store) Undo(to uint64, names func(string) bool) (policy.Image, error) {
	var all policy.Image
	err := s.view(func(tx *bbolt.Tx) error {
		h, err := readHistory(tx)
		if err != nil {
			return err
		}
		if to < h.Pruned {
			return &policy.Pruned{Number: to, Oldest: h.Pruned}
		}
		return undo(tx, to, names, &all)
	})
	if err != nil {
		return policy.Image{}, fmt.Errorf("go back to revision %d in %s: %w", to, s.path, err)
	}
	return all, nil
}

// undo takes from the commits after a number, the oldest first, what each is the
// first to have changed.
func undo(tx *bbolt.Tx, to uint64, names func(string) bool, into *policy.Image) error {
	taken := map[string]bool{}
	wanted := func(name string) bool {
		if taken[name] || names != nil && !names(name) {
			return false
		}
		taken[name] = true
		return true
	}
	for _, n := range changesAfter(tx, to, names) {
		if err := readImageOf(tx, n, wanted, into); err != nil {
			return err
		}
	}
	return nil
}

// changesAfter are the numbers after one of the commits that changed a record of
// these names, in order.
func changesAfter(tx *bbolt.Tx, to uint64, names func(string) bool) []uint64 {
	found := map[uint64]bool{}
	last, meant := "", false
	for k := range entries(tx.Bucket(namesBucket)) {
		name, number, _ := strings.Cut(string(k), "\x00")
		if name != last {
			last, meant = name, names == nil || names(name)
		}
		if n := keyNumber([]byte(number)); meant && n > to {
			found[n] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
