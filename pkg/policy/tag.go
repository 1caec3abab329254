package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Tag names the content of a list: its state and its entries as they read, in
// order. Who wrote them, when and where is no part of it, so that a file's list
// and the store's have one alike. No list has none.
func (l *List) Tag() string {
	if l == nil {
		return ""
	}
	t := newTagger("list")
	t.text(l.State.String())
	for e := range l.each() {
		t.entry(e)
	}
	return t.String()
}

// Tag names the content of a tenant's record.
func (r *TenantRecord) Tag() string {
	if r == nil {
		return ""
	}
	t := newTagger("tenant")
	t.text(r.Name)
	t.texts(r.Hosts)
	t.flag(r.StaffOnly)
	t.text(string(r.Attributes))
	for _, id := range slices.Sorted(maps.Keys(r.Users)) {
		t.texts([]string{id, r.Users[id]})
	}
	return t.String()
}

// Tag names all that an endpoint says, its own list among it.
func (ep *Endpoint) Tag() string {
	if ep == nil {
		return ""
	}
	whole := *ep
	whole.Policies, whole.Pos = nil, Pos{}
	text, _ := json.Marshal(&whole) // plain data: there is nothing it could not write
	t := newTagger("endpoint")
	t.text(string(text))
	t.text(ep.Policies.Tag())
	return t.String()
}

// SecurityTag names what an endpoint asks beside being one: its own list,
// credentials, headers, sign-in, and how they are joined.
func (ep *Endpoint) SecurityTag() string {
	if ep == nil {
		return ""
	}
	return (&Endpoint{Policies: ep.Policies, Verify: ep.Verify, Security: ep.Security}).Tag()
}

// each are the entries of a list, of which there are none without one.
func (l *List) each() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		if l == nil {
			return
		}
		for i := range l.Entries {
			if !yield(&l.Entries[i]) {
				return
			}
		}
	}
}

// tagger hashes fields, each with its length before it: no two contents run
// together to one text.
type tagger struct{ hash.Hash }

func newTagger(kind string) tagger {
	t := tagger{sha256.New()}
	t.text(kind)
	return t
}

func (t tagger) text(s string) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(s)))
	t.Write(length[:])
	t.Write([]byte(s))
}

func (t tagger) texts(all []string) {
	t.text(strconv.Itoa(len(all)))
	for _, s := range all {
		t.text(s)
	}
}

func (t tagger) flag(on bool) {
	if on {
		t.text("on")
	} else {
		t.text("off")
	}
}

func (t tagger) entry(e *Entry) {
	t.text(e.Text)
	t.text(e.Action.String())
	t.flag(!e.Disabled)
	t.text(e.Comment)
	if e.Expires.IsZero() {
		t.text("")
		return
	}
	t.text(e.Expires.UTC().Format(time.RFC3339Nano))
}

// String is the first half of the hash: enough to tell contents apart.
func (t tagger) String() string { return hex.EncodeToString(t.Sum(nil)[:16]) }
