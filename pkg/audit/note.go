package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Note is a line with its place in the chain. A Note without Line stands for the
// chain up to it; the zero Note for the empty one.
type Note struct {
	Seq  uint64
	Hash [32]byte
	Line []byte // without newline
}

// maxLine is the longest line there is.
const maxLine = 16 << 20

// hash is written in hex.
type hash [sha256.Size]byte

func hashOf(b []byte) hash { return sha256.Sum256(b) }

func (h hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

func (h *hash) UnmarshalText(text []byte) error {
	if n, err := hex.Decode(h[:], text[:min(len(text), 2*len(h))]); err != nil || n != len(h) || len(text) != 2*len(h) {
		return fmt.Errorf("hash %.80q: want %d hex digits", text, 2*len(h))
	}
	return nil
}

// What a line ends with: the member that is not hashed, and the braces of event
// and line.
const (
	hashMember = `,"hash":"`
	lineEnd    = `"}}`
	sealLen    = len(hashMember) + 2*sha256.Size + len(lineEnd)
)

// seal writes e as the line after the previous one.
func seal(previous Note, e Entry) (Note, error) {
	e.Seq = previous.Seq + 1
	d := e.document()
	d.Postern.Previous = (*hash)(&previous.Hash)
	text, err := json.Marshal(d)
	if err != nil {
		return Note{}, fmt.Errorf("write audit line %d: %w", e.Seq, err)
	}
	if len(text)+sealLen > maxLine {
		return Note{}, fmt.Errorf("write audit line %d: it would be %d bytes long, and at most %d are read; change less at once",
			e.Seq, len(text)+sealLen, maxLine)
	}
	body := text[:len(text)-len("}}")]
	h := hashOf(body)
	line := hex.AppendEncode(append(body, hashMember...), h[:])
	return Note{e.Seq, h, append(line, lineEnd...)}, nil
}

// link is a line as a part of the chain: what it says of itself.
type link struct {
	Note
	previous [32]byte
}

var (
	errForeign = errors.New("not a line of an audit journal")
	errChanged = errors.New("was changed: its hash is not that of its content")
)

// unseal reads where a line stands in the chain. A line that was changed comes
// with errChanged, and with what it says of itself none the less.
func unseal(line []byte) (link, error) {
	body, ok := cutSeal(line)
	if !ok {
		return link{}, errForeign
	}
	var d struct {
		Postern struct {
			Previous hash `json:"previous"`
		} `json:"postern"`
		Event struct {
			Sequence uint64 `json:"sequence"`
			Hash     hash   `json:"hash"`
		} `json:"event"`
	}
	if json.Unmarshal(line, &d) != nil || d.Event.Sequence == 0 {
		return link{}, errForeign
	}
	l := link{Note{d.Event.Sequence, d.Event.Hash, line}, d.Postern.Previous}
	if hashOf(body) != d.Event.Hash {
		return l, errChanged
	}
	return l, nil
}

// cutSeal is the part of a line that its hash is of.
func cutSeal(line []byte) (body []byte, ok bool) {
	if len(line) < sealLen {
		return nil, false
	}
	body, end := line[:len(line)-sealLen], line[len(line)-sealLen:]
	return body, bytes.HasPrefix(end, []byte(hashMember)) && bytes.HasSuffix(end, []byte(lineEnd))
}
