package store

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/audit"
)

// vault is what a store holds that is no revision's: what the snapshot mirrors.
type vault struct {
	keys, secrets map[string][]byte // nil: as they were
	head          audit.Note
	edition       uint64
}

// vault leaves out keys and secrets that are still of the edition known.
func (s *Store) vault(known uint64) (*vault, error) {
	v := &vault{edition: s.edition.Load()} // first: what changes meanwhile is mirrored again
	err := s.view(func(tx *bbolt.Tx) (err error) {
		if v.edition != known {
			if err := v.read(tx); err != nil {
				return err
			}
		}
		v.head, err = readHead(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// readAll reads what there is, for who knows nothing yet.
func (v *vault) readAll(tx *bbolt.Tx) (err error) {
	if v.head, err = readHead(tx); err != nil {
		return err
	}
	return v.read(tx)
}

func (v *vault) read(tx *bbolt.Tx) error {
	v.keys, v.secrets = map[string][]byte{}, map[string][]byte{}
	if err := readAll(tx.Bucket(keysBucket), v.keys); err != nil {
		return err
	}
	return readAll(tx.Bucket(secretsBucket), v.secrets)
}

func (v *vault) write(tx *bbolt.Tx) error {
	if v.keys != nil {
		if err := replace(tx.Bucket(keysBucket), v.keys); err != nil {
			return err
		}
		if err := replace(tx.Bucket(secretsBucket), v.secrets); err != nil {
			return err
		}
	}
	return putHead(tx, v.head)
}

func readAll(b *bbolt.Bucket, into map[string][]byte) error {
	return b.ForEach(func(k, v []byte) error {
		value, err := unseal(string(k), v)
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		into[string(k)] = bytes.Clone(value)
		return nil
	})
}

// replace makes values all that a bucket holds.
func replace(b *bbolt.Bucket, values map[string][]byte) error {
	var gone [][]byte
	err := b.ForEach(func(k, _ []byte) error {
		if _, stays := values[string(k)]; !stays {
			gone = append(gone, bytes.Clone(k))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range gone {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	for _, k := range slices.Sorted(maps.Keys(values)) {
		if err := put(b, k, values[k]); err != nil {
			return err
		}
	}
	return nil
}
