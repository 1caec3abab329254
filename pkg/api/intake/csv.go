package intake

import (
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// columns are those a table may have.
func columns() []string { return []string{"address", "action", "comment", "enabled", "expires"} }

// csv reads a table whose first row names its columns.
func (s *Source) csv(m *meter) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		r := csv.NewReader(m)
		r.FieldsPerRecord = -1
		header, err := r.Read()
		if err != nil {
			s.end(1, err)
			return
		}
		if s.err = checkHeader(header); s.err != nil {
			return
		}
		for number := 1; ; {
			m.next()
			row, err := r.Read()
			if malformed, ok := errors.AsType[*csv.ParseError](err); ok && !errors.Is(err, errItem) {
				if number = malformed.StartLine; !yield(bad(number, "", malformed.Err)) {
					return
				}
				continue
			}
			if err != nil {
				s.end(number+1, err)
				return
			}
			if number, _ = r.FieldPos(0); !yield(tableRow(number, header, row)) {
				return
			}
		}
	}
}

func checkHeader(header []string) error {
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if header[i] = name; slices.Contains(columns(), name) && !slices.Contains(header[:i], name) {
			continue
		}
		remedy := "use each of " + strings.Join(columns(), ", ") + " at most once"
		if near := policy.Nearest(name, columns()); near != "" && near != name {
			remedy = "did you mean " + near + "?"
		}
		return refusal(http.StatusBadRequest, fmt.Sprintf("column %.80q is unknown, or there twice", name), remedy)
	}
	if !slices.Contains(header, "address") {
		return refusal(http.StatusBadRequest, "the first line names no column address", "begin with a line like address,comment")
	}
	return nil
}

func tableRow(number int, header, row []string) Line {
	e, err := rowEntry(header, row)
	if err != nil {
		return bad(number, strings.ToValidUTF8(strings.Join(row, ","), "?"), err)
	}
	return Line{Number: number, Entry: e}
}

func rowEntry(header, row []string) (e policy.Entry, err error) {
	if len(row) != len(header) {
		return e, fmt.Errorf("it has %d fields, and there are %d columns", len(row), len(header))
	}
	for i, name := range header {
		text := strings.TrimSpace(row[i])
		if !utf8.ValidString(text) {
			return e, errText
		}
		if err := setColumn(&e, name, text); err != nil {
			return e, err
		}
	}
	return e, nil
}

func setColumn(e *policy.Entry, name, text string) (err error) {
	switch {
	case name == "address":
		e.Text = text
		e.Range, err = addr.Parse(text)
	case text == "": // as if there were no such column
	case name == "comment":
		e.Comment = text
		return wrongComment(text)
	case name == "action" && text == policy.Deny.String():
		e.Action = policy.Deny
	case name == "enabled" && text == "false":
		e.Disabled = true
	case name == "expires":
		if e.Expires, err = time.Parse(time.RFC3339, text); err != nil {
			return fmt.Errorf("expires is %.80q, not an RFC 3339 time with its zone", text)
		}
	case name == "action" && text == policy.Allow.String(), name == "enabled" && text == "true":
	default:
		return fmt.Errorf("%s is %.80q", name, text)
	}
	return err
}
