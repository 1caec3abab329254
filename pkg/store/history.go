package store

import (
	"encoding/json"
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/policy"
)

// history is what is known of the commits in total, and of the records after
// them.
type history struct {
	Number uint64 `json:"number"`           // of the last
	Count  int    `json:"count,omitempty"`  // how many there are
	Bytes  int    `json:"bytes,omitempty"`  // how much they take
	Pruned uint64 `json:"pruned,omitempty"` // the last that is gone; how far back one can go
	// Sum is the records' checksums, each over the others: a page that the disk
	// never wrote leaves an older one in its place, in which every checksum holds.
	Sum uint32 `json:"sum,omitempty"`
}

func readHistory(tx *bbolt.Tx) (h history, err error) {
	value, err := get(tx.Bucket(metaBucket), historyKey)
	if err == nil {
		err = getJSON(historyKey, value, &h)
	}
	return h, err
}

func (h *history) write(tx *bbolt.Tx) error {
	return putJSON(tx.Bucket(metaBucket), historyKey, h)
}

// add appends a commit with its image, and indexes it.
func (h *history) add(tx *bbolt.Tx, c *policy.Commit) error {
	key := numberKey(c.Number)
	before, err := records(c.Before)
	if err != nil {
		return err
	}
	image := appendImage(nil, before)
	if err := putLast(tx.Bucket(imagesBucket), key, image); err != nil {
		return err
	}
	names := tx.Bucket(namesBucket)
	for _, name := range c.Names {
		if err := put(names, nameKey(name, c.Number), nil); err != nil {
			return err
		}
		h.Bytes += nameSize(name)
	}
	if c.Outcome == policy.Pending {
		if err := put(tx.Bucket(pendingBucket), key, nil); err != nil {
			return err
		}
	}
	on := commitOf(c, h.previous(tx))
	h.Number = c.Number
	h.Count++
	h.Bytes += len(image)
	return h.put(tx, on)
}

// previous is the last commit there is or, once all are gone, was.
func (h *history) previous(tx *bbolt.Tx) uint64 {
	k, _ := tx.Bucket(commitsBucket).Cursor().Last()
	return max(keyNumber(k), h.Pruned)
}

// put writes a commit in the place of what there is of it.
func (h *history) put(tx *bbolt.Tx, c *commit) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode commit: %w", err)
	}
	b, key := tx.Bucket(commitsBucket), numberKey(c.Number)
	h.Bytes += len(text) - max(0, len(b.Get([]byte(key)))-sealSize)
	return putLast(b, key, text)
}

// putLast puts the last value of a bucket, whose pages are then left full.
func putLast(b *bbolt.Bucket, key string, value []byte) error {
	b.FillPercent = 1
	return put(b, key, value)
}

func (h *history) markReverted(tx *bbolt.Tx, number uint64) error {
	if number <= h.Pruned && tx.Bucket(commitsBucket).Get([]byte(numberKey(number))) == nil {
		return nil // too long ago to be told
	}
	c, err := h.find(tx, number)
	if err != nil {
		return err
	}
	return h.settle(tx, c, policy.Reverted)
}

func (h *history) settle(tx *bbolt.Tx, c *commit, o policy.Outcome) error {
	c.Outcome = o
	if err := tx.Bucket(pendingBucket).Delete([]byte(numberKey(c.Number))); err != nil {
		return err
	}
	return h.put(tx, c)
}

// find is the commit of a number.
func (h *history) find(tx *bbolt.Tx, number uint64) (*commit, error) {
	sealed := tx.Bucket(commitsBucket).Get([]byte(numberKey(number)))
	switch {
	case sealed != nil:
		return readCommit(numberKey(number), sealed)
	case number != 0 && number <= h.Pruned:
		return nil, &policy.Pruned{Number: number, Oldest: h.Pruned}
	}
	return nil, &policy.Unknown{What: "revision", Name: strconv.FormatUint(number, 10)}
}

func readCommit(key string, sealed []byte) (*commit, error) {
	value, err := unseal(key, sealed)
	c := &commit{}
	if err == nil {
		err = getJSON("commit", value, c)
	}
	if err != nil {
		return nil, fmt.Errorf("revision %d: %w", keyNumber([]byte(key)), err)
	}
	return c, nil
}

// nameKey is where the index says that a commit changed a record. No record's
// name holds a zero byte.
func nameKey(name string, number uint64) string { return name + "\x00" + numberKey(number) }

func nameSize(name string) int { return len(nameKey(name, 0)) + sealSize }

// prune forgets the oldest commits beyond what is kept.
func (h *history) prune(tx *bbolt.Tx, keep Config) error {
	for h.Count > keep.MaxRevisions || h.Bytes > keep.MaxHistoryBytes {
		key := h.oldest(tx)
		if key == "" {
			return nil
		}
		if err := h.drop(tx, key); err != nil {
			return err
		}
	}
	return nil
}

// oldest is the key of the first commit that may go: the last may not, and none
// that may yet be reverted; "" for none.
func (h *history) oldest(tx *bbolt.Tx) string {
	pending := tx.Bucket(pendingBucket)
	c := tx.Bucket(commitsBucket).Cursor()
	for k, _ := c.First(); k != nil && keyNumber(k) != h.Number; k, _ = c.Next() {
		if pending.Get(k) == nil {
			return string(k)
		}
	}
	return ""
}

func (h *history) drop(tx *bbolt.Tx, key string) error {
	commits, images := tx.Bucket(commitsBucket), tx.Bucket(imagesBucket)
	sealed := commits.Get([]byte(key))
	c, err := readCommit(key, sealed)
	if err != nil {
		return err
	}
	for _, name := range c.Names {
		if err := tx.Bucket(namesBucket).Delete([]byte(nameKey(name, c.Number))); err != nil {
			return err
		}
		h.Bytes -= nameSize(name)
	}
	h.Bytes -= len(sealed) + len(images.Get([]byte(key))) - 2*sealSize
	h.Count--
	h.Pruned = max(h.Pruned, c.Number)
	if err := commits.Delete([]byte(key)); err != nil {
		return err
	}
	return images.Delete([]byte(key))
}
