package intake

import (
	"encoding/json"
	"errors"
	"iter"
	"net/http"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/policy"
)

// json reads a list of entries.
func (s *Source) json(m *meter) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		d := json.NewDecoder(m)
		if first, err := d.Token(); err != nil || first != json.Delim('[') {
			s.end(0, err)
			if s.err == nil {
				s.err = refusal(http.StatusBadRequest, "it is no list of entries", "send [...]")
			}
			return
		}
		number := 0
		for d.More() {
			number++
			var text json.RawMessage
			if err := d.Decode(&text); err != nil {
				s.end(number, err)
				return
			}
			m.next()
			if !yield(item(number, text)) {
				return
			}
		}
		s.closeList(d, number)
	}
}

// closeList reads to the end, where nothing may come any more.
func (s *Source) closeList(d *json.Decoder, number int) {
	if _, err := d.Token(); err != nil {
		s.end(number, err)
		if s.err == nil { // its end is the body's
			s.err = refusal(http.StatusBadRequest, "the list ends before its ]", "")
		}
		return
	}
	if _, err := d.Token(); err == nil {
		s.end(number, errors.New("there is more behind the list"))
	}
}

func item(number int, text json.RawMessage) Line {
	var e policy.Entry
	if err := body.Parse(text, body.Limits{}, body.Entry(&e)); err != nil {
		return bad(number, string(text), err)
	}
	return Line{Number: number, Entry: e}
}
