package store

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// A list on disk is its few own fields, then its entries one after another:
// numbers as varints, text behind its length. JSON was five times slower to
// read (1.3 µs an entry), which at 700,000 entries is a second of every start.

// The bits of an entry's first byte: which fields follow beside its text.
const (
	bitDeny = 1 << iota
	bitDisabled
	bitRange
	bitComment
	bitExpires
	bitFile // the entry stands in another file than its list
)

func appendList(b []byte, l *policy.List) []byte {
	b = append(b, byte(l.State), bit(1, l.Orphaned))
	b = appendText(b, l.Owner)
	b = appendText(b, l.Pos.File)
	b = binary.AppendVarint(b, int64(l.Pos.Line))
	b = binary.AppendUvarint(b, uint64(len(l.Entries)))
	for i := range l.Entries {
		b = appendEntry(b, &l.Entries[i], l.Pos.File)
	}
	return b
}

func appendEntry(b []byte, e *policy.Entry, file string) []byte {
	has := bit(bitDeny, e.Action == policy.Deny) | bit(bitDisabled, e.Disabled) |
		bit(bitRange, e.Range.IsValid()) | bit(bitComment, e.Comment != "") |
		bit(bitExpires, !e.Expires.IsZero()) | bit(bitFile, e.Pos.File != file)
	b = append(b, has)
	b = appendText(b, e.Text)
	b = binary.AppendVarint(b, int64(e.Pos.Line))
	if has&bitRange != 0 {
		b = appendText(b, e.Range.String())
	}
	if has&bitComment != 0 {
		b = appendText(b, e.Comment)
	}
	if has&bitExpires != 0 {
		b = appendText(b, e.Expires.Format(time.RFC3339Nano))
	}
	if has&bitFile != 0 {
		b = appendText(b, e.Pos.File)
	}
	return b
}

func bit(b byte, set bool) byte {
	if set {
		return b
	}
	return 0
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// readList reads what appendList wrote. The texts of the list share value's
// memory.
func readList(value string) (*policy.List, error) {
	r := reader{rest: value}
	l := &policy.List{State: policy.ListState(r.byte())}
	l.Orphaned = r.byte() == 1
	l.Owner = r.text()
	l.Pos = policy.Pos{File: r.text(), Line: int(r.varint())}
	n := r.uvarint()
	if n > uint64(len(r.rest)) { // an entry is at least a byte
		return nil, errShort
	}
	l.Entries = make([]policy.Entry, n)
	for i := range l.Entries {
		r.entry(&l.Entries[i], l.Pos.File)
	}
	if r.err == nil && r.rest != "" {
		return nil, errors.New("more bytes than its entries take")
	}
	return l, r.err
}

var errShort = errors.New("ends in the middle")

// reader takes values off the front of rest; after its first error they are all
// zero.
type reader struct {
	rest string
	err  error
}

func (r *reader) entry(e *policy.Entry, file string) {
	has := r.byte()
	e.Disabled = has&bitDisabled != 0
	if has&bitDeny != 0 {
		e.Action = policy.Deny
	}
	e.Text = r.text()
	e.Pos = policy.Pos{File: file, Line: int(r.varint())}
	if has&bitRange != 0 {
		r.fail(e.Range.UnmarshalText([]byte(r.text())))
	}
	if has&bitComment != 0 {
		e.Comment = r.text()
	}
	if has&bitExpires != 0 {
		r.fail(e.Expires.UnmarshalText([]byte(r.text())))
	}
	if has&bitFile != 0 {
		e.Pos.File = r.text()
	}
}

func (r *reader) fail(err error) {
	if r.err == nil && err != nil {
		r.err, r.rest = err, ""
	}
}

func (r *reader) byte() byte {
	b, _ := r.ReadByte()
	return b
}

// ReadByte is for encoding/binary.
func (r *reader) ReadByte() (byte, error) {
	b := r.take(1)
	if b == "" {
		return 0, r.err
	}
	return b[0], nil
}

func (r *reader) text() string { return r.take(r.uvarint()) }

func (r *reader) take(n uint64) string {
	if n > uint64(len(r.rest)) {
		r.fail(errShort)
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) uvarint() uint64 {
	v, err := binary.ReadUvarint(r)
	r.fail(err)
	return v
}

func (r *reader) varint() int64 {
	v, err := binary.ReadVarint(r)
	r.fail(err)
	return v
}
