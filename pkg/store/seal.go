package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// put seals value with a checksum over key and value, so that neither a turned
// bit nor a value under another's key is taken for what was saved.
func put(b *bbolt.Bucket, key string, value []byte) error {
	sealed := seal(key, value)
	if bytes.Equal(b.Get([]byte(key)), sealed) {
		return nil
	}
	return b.Put([]byte(key), sealed)
}

func putJSON(b *bbolt.Bucket, key string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	return put(b, key, text)
}

// get is the value of key, good until the transaction ends.
func get(b *bbolt.Bucket, key string) ([]byte, error) {
	value, err := unseal(key, b.Get([]byte(key)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return value, nil
}

// getJSON is strict: a field this postern does not know may be one that denies.
func getJSON(key string, value []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// sealSize is what sealing adds to a value.
const sealSize = 4

func seal(key string, value []byte) []byte {
	sealed := binary.LittleEndian.AppendUint32(make([]byte, 0, sealSize+len(value)), checksum(key, value))
	return append(sealed, value...)
}

func unseal(key string, sealed []byte) ([]byte, error) {
	switch {
	case len(sealed) < sealSize:
		return nil, errors.New("missing")
	case sealOf(sealed) != checksum(key, sealed[sealSize:]):
		return nil, errors.New("damaged: its checksum differs")
	}
	return sealed[sealSize:], nil
}

// sealOf is the checksum of a value as it was sealed; 0 for none.
func sealOf(sealed []byte) uint32 {
	if len(sealed) < sealSize {
		return 0
	}
	return binary.LittleEndian.Uint32(sealed)
}

func checksum(key string, value []byte) uint32 {
	castagnoli := crc32.MakeTable(crc32.Castagnoli) // made once, by the library
	return crc32.Update(crc32.Checksum([]byte(key), castagnoli), castagnoli, value)
}
