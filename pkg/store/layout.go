package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/policy"
)

// The file holds three buckets: a few single values, the tenants' records by
// id, and the lists by their path.
var (
	metaBucket    = []byte("meta")
	tenantsBucket = []byte("tenants")
	listsBucket   = []byte("lists")
)

// The keys of metaBucket.
const (
	schemaKey   = "schema"   // a decimal number; read before anything else
	clockKey    = "clock"    // RFC 3339
	revisionKey = "revision" // numbered
	settingsKey = "settings" // the agent's own
	stateKey    = "state"    // policy.State without tenants and lists
)

// numbered is a revision's number on disk.
type numbered struct {
	Number uint64    `json:"number"`
	Since  time.Time `json:"since"`
}

// tenant is a tenant's record on disk.
type tenant struct {
	Hosts []string   `json:"hosts"`
	Pos   policy.Pos `json:"pos"`
}

func layOut(tx *bbolt.Tx) error {
	for _, name := range [][]byte{metaBucket, tenantsBucket, listsBucket} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return put(tx.Bucket(metaBucket), schemaKey, []byte(strconv.Itoa(schema)))
}

// checkSchema refuses a file this package cannot read. There is no older schema
// yet to migrate from.
func checkSchema(tx *bbolt.Tx) error {
	for _, name := range [][]byte{metaBucket, tenantsBucket, listsBucket} {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("no bucket %q: damaged, or not a store of postern's", name)
		}
	}
	text, err := get(tx.Bucket(metaBucket), schemaKey)
	if err != nil {
		return err
	}
	switch n, err := strconv.Atoi(string(text)); {
	case err != nil:
		return fmt.Errorf("schema %q: not a number", text)
	case n > schema:
		return fmt.Errorf("schema %d is newer than %d, the newest this postern reads; run the postern that wrote it", n, schema)
	case n < schema:
		return fmt.Errorf("schema %d was never written by a postern", n)
	}
	return nil
}

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

func seal(key string, value []byte) []byte {
	sealed := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(value)), checksum(key, value))
	return append(sealed, value...)
}

func unseal(key string, sealed []byte) ([]byte, error) {
	switch {
	case len(sealed) < 4:
		return nil, errors.New("missing")
	case binary.LittleEndian.Uint32(sealed) != checksum(key, sealed[4:]):
		return nil, errors.New("damaged: its checksum differs")
	}
	return sealed[4:], nil
}

func checksum(key string, value []byte) uint32 {
	castagnoli := crc32.MakeTable(crc32.Castagnoli) // made once, by the library
	return crc32.Update(crc32.Checksum([]byte(key), castagnoli), castagnoli, value)
}
