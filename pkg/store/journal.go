package store

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/audit"
)

// Journal is the part of a Store that the audit journal needs: where its chain
// ends, and the lines that were committed and may not be in it yet.
type Journal struct{ *file }

// Journal is s for the journal.
func (s *Store) Journal() Journal { return Journal{s.file} }

// putNote keeps a line with the change it tells of, in the change's transaction.
// The zero Note is none.
func putNote(tx *bbolt.Tx, note audit.Note) error {
	if note.Seq == 0 {
		return nil
	}
	value := append(bytes.Clone(note.Hash[:]), note.Line...)
	if err := putLast(tx.Bucket(notesBucket), numberKey(note.Seq), value); err != nil {
		return err
	}
	return putHead(tx, note)
}

func putHead(tx *bbolt.Tx, note audit.Note) error {
	return put(tx.Bucket(metaBucket), headKey, append([]byte(numberKey(note.Seq)), note.Hash[:]...))
}

// readHead is the head of a file; the zero Note where there is none.
func readHead(tx *bbolt.Tx) (note audit.Note, err error) {
	meta := tx.Bucket(metaBucket)
	if meta.Get([]byte(headKey)) == nil {
		return note, nil
	}
	value, err := get(meta, headKey)
	note, _ = decodeHead(value)
	return note, err
}

func decodeHead(value []byte) (note audit.Note, ok bool) {
	if len(value) != 8+len(note.Hash) {
		return note, false
	}
	note.Seq = keyNumber(value[:8])
	copy(note.Hash[:], value[8:])
	return note, true
}

// Head is where the chain ends, without the line.
func (j Journal) Head() (note audit.Note, err error) {
	err = j.view(func(tx *bbolt.Tx) (err error) {
		note, err = readHead(tx)
		return err
	})
	if err != nil {
		return note, fmt.Errorf("read the journal's head in %s: %w", j.path, err)
	}
	return note, nil
}

// PutHead makes this the head.
func (j Journal) PutHead(note audit.Note) error {
	if err := j.update(func(tx *bbolt.Tx) error { return putHead(tx, note) }); err != nil {
		return fmt.Errorf("keep the journal's head in %s: %w", j.path, err)
	}
	return nil
}

// Pending are the notes that have not been trimmed, in order.
func (j Journal) Pending() (notes []audit.Note, err error) {
	err = j.view(func(tx *bbolt.Tx) (err error) {
		notes, err = readNotes(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal's lines in %s: %w", j.path, err)
	}
	return notes, nil
}

func readNotes(tx *bbolt.Tx) (notes []audit.Note, err error) {
	err = tx.Bucket(notesBucket).ForEach(func(k, v []byte) error {
		value, err := unseal(string(k), v)
		if note, ok := decodeNote(string(k), value); ok {
			notes = append(notes, note)
		}
		return err
	})
	return notes, err
}

func decodeNote(key string, value []byte) (note audit.Note, ok bool) {
	if len(value) < len(note.Hash) {
		return note, false
	}
	note.Seq = keyNumber([]byte(key))
	note.Line = bytes.Clone(value[copy(note.Hash[:], value):])
	return note, true
}

// Trim forgets the pending notes up to this one.
func (j Journal) Trim(through uint64) error {
	err := j.update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(notesBucket)
		var gone [][]byte
		c := b.Cursor()
		for k, _ := c.First(); k != nil && keyNumber(k) <= through; k, _ = c.Next() {
			gone = append(gone, bytes.Clone(k))
		}
		for _, k := range gone {
			if err := b.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("trim the journal's lines in %s: %w", j.path, err)
	}
	return nil
}
