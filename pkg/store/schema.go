package store

import (
	"fmt"
	"strconv"
	"strings"

	"go.etcd.io/bbolt"
)

// schema is the layout this package reads and writes, of both files. Schema 1
// had one file, the snapshot, under the name the store has now.
const schema = 2

// The buckets. Whatever is kept under a number has it as eight bytes, the
// highest first, so that the order of the keys is that of the numbers.
var (
	metaBucket    = []byte("meta")    // a few single values
	keysBucket    = []byte("keys")    // access keys by id
	secretsBucket = []byte("secrets") // by name

	// Of the snapshot alone.
	tenantsBucket = []byte("tenants") // by id
	listsBucket   = []byte("lists")   // by place

	// Of the store alone.
	recordsBucket = []byte("records") // what people wrote, by record's name
	commitsBucket = []byte("commits") // by number
	imagesBucket  = []byte("images")  // what stood before a commit, by its number
	namesBucket   = []byte("names")   // record's name, a zero byte, number of a commit that changed it
	pendingBucket = []byte("pending") // numbers of the commits that wait to be confirmed
	notesBucket   = []byte("notes")   // lines on their way to the journal, by number
)

// The keys of metaBucket.
const (
	schemaKey = "schema" // a decimal number; read before anything else
	headKey   = "head"   // where the journal's chain ends

	// Of the snapshot alone.
	clockKey    = "clock"    // RFC 3339
	revisionKey = "revision" // numbered
	settingsKey = "settings" // the agent's own
	stateKey    = "state"    // policy.State without tenants and lists

	// Of the store alone.
	idKey      = "id"
	historyKey = "history"
)

// layout is the buckets a file has.
type layout [][]byte

var (
	snapshotLayout = layout{metaBucket, keysBucket, secretsBucket, tenantsBucket, listsBucket}
	storeLayout    = layout{
		metaBucket, keysBucket, secretsBucket, recordsBucket, commitsBucket, imagesBucket, namesBucket,
		pendingBucket, notesBucket,
	}
)

func (l layout) make(tx *bbolt.Tx) error {
	for _, name := range l {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return putSchema(tx)
}

func putSchema(tx *bbolt.Tx) error {
	return put(tx.Bucket(metaBucket), schemaKey, []byte(strconv.Itoa(schema)))
}

// check refuses a file this package cannot read.
func (l layout) check(tx *bbolt.Tx) error {
	switch n, err := readSchema(tx); {
	case err != nil:
		return err
	case n != schema:
		return fmt.Errorf("schema %d is the snapshot of an older postern; move the file away", n)
	}
	for _, name := range l {
		if tx.Bucket(name) == nil {
			return missing(name)
		}
	}
	return nil
}

func missing(bucket []byte) error {
	return fmt.Errorf("no bucket %q: damaged, or not a file of postern's", bucket)
}

// readSchema is the schema of a file, if it is one of those this package knows.
func readSchema(tx *bbolt.Tx) (int, error) {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		return 0, missing(metaBucket)
	}
	text, err := get(meta, schemaKey)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(text))
	switch {
	case err != nil:
		return 0, fmt.Errorf("schema %q: not a number", text)
	case n > schema:
		return 0, fmt.Errorf("schema %d is newer than %d, the newest this postern reads; run the postern that wrote it", n, schema)
	case n < 1:
		return 0, fmt.Errorf("schema %d was never written by a postern", n)
	}
	return n, nil
}

// verify compares every value with its checksum, and decodes none.
func (l layout) verify(tx *bbolt.Tx) error {
	for _, name := range l {
		err := tx.Bucket(name).ForEach(func(k, v []byte) error {
			if _, err := unseal(string(k), v); err != nil {
				return fmt.Errorf("%s %s: %w", name, shown(k), err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// shown is a key as people read it.
func shown(key []byte) string {
	name, number, indexed := strings.Cut(string(key), "\x00")
	switch {
	case len(key) == 8 && key[0] == 0:
		return strconv.FormatUint(keyNumber(key), 10)
	case indexed:
		return fmt.Sprintf("%s %d", name, keyNumber([]byte(number)))
	}
	return name
}
