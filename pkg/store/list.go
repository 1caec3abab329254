package store

import (
	"encoding/binary"
	"errors"
	"fmt"
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
	bitBy
)

func appendList(b []byte, l *policy.List) []byte {
	b = append(b, byte(l.State), bit(1, l.Orphaned))
	b = appendText(b, l.Owner)
	b = appendText(b, l.Pos.File)
	b = binary.AppendVarint(b, int64(l.Pos.Line))
	b = binary.AppendUvarint(b, uint64(len(l.Entries)))
	var by stamps
	for i := range l.Entries {
		b = appendEntry(b, &l.Entries[i], l.Pos.File, &by)
	}
	return b
}

func appendEntry(b []byte, e *policy.Entry, file string, by *stamps) []byte {
	has := bit(bitDeny, e.Action == policy.Deny) | bit(bitDisabled, e.Disabled) |
		bit(bitRange, e.Range.IsValid()) | bit(bitComment, e.Comment != "") |
		bit(bitExpires, !e.Expires.IsZero()) | bit(bitFile, e.Pos.File != file) |
		bit(bitBy, e.By != nil)
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
		b = appendTime(b, e.Expires)
	}
	if has&bitFile != 0 {
		b = appendText(b, e.Pos.File)
	}
	if has&bitBy != 0 {
		b = by.append(b, e.By)
	}
	return b
}

// stamps numbers the stamps of a list by their first use: entries share few.
type stamps struct {
	numbers map[string]uint64 // by the stamp as written
	last    *policy.Stamp
	number  uint64 // of last
}

// append writes the number of a stamp, and behind a number that is new the stamp.
func (s *stamps) append(b []byte, by *policy.Stamp) []byte {
	if s.last == by {
		return binary.AppendUvarint(b, s.number)
	}
	text := appendStamp(nil, by)
	n, known := s.numbers[string(text)]
	if !known {
		if s.numbers == nil {
			s.numbers = map[string]uint64{}
		}
		n = uint64(len(s.numbers))
		s.numbers[string(text)] = n
	}
	s.last, s.number = by, n
	b = binary.AppendUvarint(b, n)
	if known {
		return b
	}
	return append(b, text...)
}

func appendStamp(b []byte, by *policy.Stamp) []byte {
	return appendTime(appendTime(appendText(b, by.Author), by.Created), by.Modified)
}

func appendTime(b []byte, t time.Time) []byte {
	return appendText(b, t.Format(time.RFC3339Nano))
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
	rest   string
	err    error
	stamps []*policy.Stamp // of the list, by number
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
		e.Expires = r.time()
	}
	if has&bitFile != 0 {
		e.Pos.File = r.text()
	}
	if has&bitBy != 0 {
		e.By = r.stamp()
	}
}

func (r *reader) stamp() *policy.Stamp {
	n := r.uvarint()
	switch {
	case r.err != nil:
		return nil
	case n < uint64(len(r.stamps)):
		return r.stamps[n]
	case n > uint64(len(r.stamps)):
		r.fail(fmt.Errorf("stamp %d before stamp %d", n, len(r.stamps)))
		return nil
	}
	by := &policy.Stamp{Author: r.text(), Created: r.time(), Modified: r.time()}
	r.stamps = append(r.stamps, by)
	return by
}

func (r *reader) time() (t time.Time) {
	r.fail(t.UnmarshalText([]byte(r.text())))
	return t
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
