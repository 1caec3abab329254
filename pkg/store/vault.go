package store

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
)

// Keys and secrets are nobody's revision: no rollback brings a key back.

// alter changes what a snapshot mirrors.
func (s *Store) alter(do func(*bbolt.Tx) error) error {
	if err := s.update(do); err != nil {
		return err
	}
	s.edition.Add(1)
	return nil
}

// Keys are the access keys, by the order of their ids.
func (s *Store) Keys() ([]access.Key, error) {
	var keys []access.Key
	err := s.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(keysBucket).ForEach(func(k, v []byte) error {
			value, err := unseal(string(k), v)
			if err != nil {
				return fmt.Errorf("key %s: %w", k, err)
			}
			var key access.Key
			if err := getJSON("key "+string(k), value, &key); err != nil {
				return err
			}
			keys = append(keys, key)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the keys in %s: %w", s.path, err)
	}
	return keys, nil
}

// PutKey keeps a key in the place of the one of its id.
func (s *Store) PutKey(key access.Key, note audit.Note) error {
	err := s.alter(func(tx *bbolt.Tx) error {
		if err := putJSON(tx.Bucket(keysBucket), key.ID, key); err != nil {
			return err
		}
		return putNote(tx, note)
	})
	if err != nil {
		return fmt.Errorf("keep key %s in %s: %w", key.ID, s.path, err)
	}
	return nil
}

// DeleteKey forgets a key, if there is one.
func (s *Store) DeleteKey(id string, note audit.Note) error {
	err := s.alter(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(keysBucket).Delete([]byte(id)); err != nil {
			return err
		}
		return putNote(tx, note)
	})
	if err != nil {
		return fmt.Errorf("forget key %s in %s: %w", id, s.path, err)
	}
	return nil
}

// Secret is the secret of a name; nil where there is none.
func (s *Store) Secret(name string) (secret []byte, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		b := tx.Bucket(secretsBucket)
		if b.Get([]byte(name)) == nil {
			return nil
		}
		value, err := get(b, name)
		secret = bytes.Clone(value)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read a secret in %s: %w", s.path, err)
	}
	return secret, nil
}

// PutSecret keeps a secret under its name.
func (s *Store) PutSecret(name string, secret []byte) error {
	if err := s.alter(func(tx *bbolt.Tx) error { return put(tx.Bucket(secretsBucket), name, secret) }); err != nil {
		return fmt.Errorf("keep secret %s in %s: %w", name, s.path, err)
	}
	return nil
}
