package intake

import (
	"bufio"
	"errors"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/policy"
)

var errText = errors.New("it is not UTF-8")

// lines reads an address from each line, and its comment behind a #.
func (s *Source) lines(m *meter) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		scanner := bufio.NewScanner(m)
		scanner.Buffer(nil, maxItem)
		number := 0
		for scanner.Scan() {
			m.next()
			number++
			text := strings.TrimSpace(scanner.Text())
			if text == "" || text[0] == '#' {
				continue
			}
			if !yield(line(number, text)) {
				return
			}
		}
		err := scanner.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = errItem
		}
		s.end(number+1, err)
	}
}

func line(number int, text string) Line {
	address, comment, _ := strings.Cut(text, "#")
	e := policy.Entry{Text: strings.TrimSpace(address), Comment: strings.TrimSpace(comment)}
	if !utf8.ValidString(text) {
		return bad(number, strings.ToValidUTF8(text, "?"), errText)
	}
	var err error
	if e.Range, err = addr.Parse(e.Text); err != nil {
		return bad(number, text, err)
	}
	if err := wrongComment(e.Comment); err != nil {
		return bad(number, text, err)
	}
	return Line{Number: number, Entry: e}
}

func wrongComment(text string) error {
	if what, remedy := policy.WrongText(text, policy.MaxComment); what != "" {
		return &body.Mistake{What: "its comment " + what, Remedy: remedy}
	}
	return nil
}
