package intake

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/policy"
)

// MaxBytes is what one import may bring.
const MaxBytes = 100 << 20

// maxItem is what a single entry may take: no bound on the whole is one on that.
const maxItem = 64 << 10

// Line is an entry, or what is wrong with it.
type Line struct {
	Number int    // from 1; in JSON the entry's
	Text   string // as it was sent, where it is bad
	Entry  policy.Entry
	What   string // is wrong; "": nothing
	Remedy string
}

// Source is an import that is being read.
type Source struct {
	// Entries are read as they are asked for, once.
	Entries iter.Seq[Line]
	err     error
}

// Err is why the reading ended before the end; nil where it did not. It is a
// *body.Refusal.
func (s *Source) Err() error { return s.err }

// Open reads r as its header says it is. Its error is a *body.Refusal.
func Open(h http.Header, r io.Reader) (*Source, error) {
	s := &Source{}
	m := &meter{r: r, left: maxItem}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case err == nil && kind == "text/plain":
		s.Entries = s.lines(m)
	case err == nil && kind == "text/csv":
		s.Entries = s.csv(m)
	case err == nil && kind == "application/json":
		s.Entries = s.json(m)
	default:
		return nil, refusal(http.StatusUnsupportedMediaType,
			fmt.Sprintf("Content-Type is %q", h.Get("Content-Type")), "send text/plain, text/csv or application/json")
	}
	return s, nil
}

func refusal(status int, what, remedy string) *body.Refusal {
	return &body.Refusal{Status: status, Mistakes: []body.Mistake{{Path: "$", What: what, Remedy: remedy}}}
}

// end notes why the reading ended at a line.
func (s *Source) end(line int, err error) {
	long, isLong := errors.AsType[*http.MaxBytesError](err)
	switch {
	case err == nil, errors.Is(err, io.EOF):
	case isLong:
		s.err = refusal(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is longer than %d bytes", long.Limit), "import it in parts")
	case errors.Is(err, errItem):
		s.err = refusal(http.StatusBadRequest, fmt.Sprintf("line %d is longer than %d bytes", line, maxItem), "")
	default:
		s.err = refusal(http.StatusBadRequest, fmt.Sprintf("after line %d: %v", line, err), "")
	}
}

// bad is a line that is no entry.
func bad(number int, text string, err error) Line {
	const most = 200
	if len(text) > most {
		text = text[:most] + "..."
	}
	l := Line{Number: number, Text: text, What: err.Error()}
	if a, ok := errors.AsType[*addr.Error](err); ok {
		l.What, l.Remedy = a.What, a.Remedy
	}
	if m, ok := errors.AsType[*body.Mistake](err); ok {
		l.What, l.Remedy = m.What, m.Remedy
	}
	if no, ok := errors.AsType[*body.Refusal](err); ok {
		l.What, l.Remedy = no.Mistakes[0].What, no.Mistakes[0].Remedy
	}
	return l
}

var errItem = errors.New("too long")

// meter ends a reading in which a single item takes too much.
type meter struct {
	r    io.Reader
	left int
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errItem
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}

// next begins another item.
func (m *meter) next() { m.left = maxItem }
