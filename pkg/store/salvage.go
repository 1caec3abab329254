package store

import (
	"encoding/json"
	"maps"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// remains is what can be read of a damaged file: by bucket, the values whose
// checksums hold.
type remains struct {
	values map[string]map[string][]byte
	lost   map[string]bool // buckets of which something is missing
}

// salvage reads what it can of the file at path.
func salvage(path string) remains {
	r := remains{map[string]map[string][]byte{}, map[string]bool{}}
	for _, name := range storeLayout {
		r.values[string(name)], r.lost[string(name)] = salvageBucket(path, name)
	}
	return r
}

// salvageBucket opens the file anew, for damage may end the reading anywhere, and
// read-only, for the list of free pages may be what is damaged.
func salvageBucket(path string, name []byte) (values map[string][]byte, lost bool) {
	values, lost = map[string][]byte{}, true
	f, err := openAs(path, true)
	if err != nil {
		return values, lost
	}
	defer f.Close()
	_ = f.view(func(tx *bbolt.Tx) error {
		b := tx.Bucket(name)
		if b == nil {
			return nil
		}
		damaged := 0
		for k, sealed := range entries(b) {
			value, err := unseal(string(k), sealed)
			if err != nil {
				damaged++
				continue
			}
			values[string(k)] = append([]byte{}, value...)
		}
		lost = damaged > 0
		return nil
	})
	return values, lost
}

func (r remains) of(bucket []byte) map[string][]byte { return r.values[string(bucket)] }

func (r remains) whole(bucket []byte) bool { return !r.lost[string(bucket)] }

// history is what the file said of its commits; not ok where that is lost.
func (r remains) history() (h history, ok bool) {
	value := r.of(metaBucket)[historyKey]
	return h, value != nil && json.Unmarshal(value, &h) == nil
}

// records are the file's, if they are all there.
func (r remains) records(h history) (policy.Image, bool) {
	var image policy.Image
	var sum uint32
	for name, value := range r.of(recordsBucket) {
		sum ^= checksum(name, value)
		if readRecord(name, value, &image) != nil {
			return policy.Image{}, false
		}
	}
	return image, r.whole(recordsBucket) && sum == h.Sum
}

// commits are those up to a number without a gap, the newest first, and with what
// stood before each. Those older than a gap lead nowhere.
func (r remains) commits(last uint64) []*policy.Commit {
	var chain []*policy.Commit
	for n := last; n != 0; {
		key := numberKey(n)
		value, image := r.of(commitsBucket)[key], r.of(imagesBucket)[key]
		var on commit
		if value == nil || image == nil || getJSON("commit", value, &on) != nil {
			break
		}
		c := on.commit()
		if readImage(string(image), nil, &c.Before) != nil {
			break
		}
		chain = append(chain, c)
		n = on.Previous
	}
	return chain
}

// previousOf is the number of the commit before one.
func (r remains) previousOf(number uint64) uint64 {
	var on commit
	_ = json.Unmarshal(r.of(commitsBucket)[numberKey(number)], &on)
	return on.Previous
}

func (r remains) head() (note audit.Note, ok bool) {
	return decodeHead(r.of(metaBucket)[headKey])
}

// notes are the lines on their way to the journal, in order.
func (r remains) notes() []audit.Note {
	var notes []audit.Note
	waiting := r.of(notesBucket)
	for _, key := range slices.Sorted(maps.Keys(waiting)) {
		if note, ok := decodeNote(key, waiting[key]); ok {
			notes = append(notes, note)
		}
	}
	return notes
}
