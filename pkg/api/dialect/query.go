package dialect

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/policy"
)

// Query reads the parameters of a request, and notes all that is wrong with them.
type Query struct {
	values   url.Values
	known    map[string]bool
	mistakes []body.Mistake
}

// QueryOf begins with a request's parameters.
func QueryOf(r *http.Request) *Query {
	q := &Query{known: map[string]bool{}}
	var err error
	if q.values, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		q.fault("query", err.Error(), "")
	}
	return q
}

func (q *Query) fault(name, what, remedy string) {
	q.mistakes = append(q.mistakes, body.Mistake{Path: name, What: what, Remedy: remedy})
}

// Texts are the values of a parameter that may stand more than once.
func (q *Query) Texts(name string) []string {
	q.known[name] = true
	return q.values[name]
}

// Text is the value of a parameter, "" where it is left out.
func (q *Query) Text(name string) string {
	all := q.Texts(name)
	if len(all) > 1 {
		q.fault(name, "it stands there more than once", "keep one")
	}
	return q.values.Get(name)
}

// Int is a whole number from least to most.
func (q *Query) Int(name string, otherwise, least, most int) int {
	text := q.Text(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		q.fault(name, fmt.Sprintf("%q is not a whole number from %d to %d", text, least, most), "")
	}
	return n
}

// Time is an RFC 3339 time with its zone, zero where it is left out.
func (q *Query) Time(name string) time.Time {
	text := q.Text(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		q.fault(name, fmt.Sprintf("%q is not an RFC 3339 time with its zone", text), "write it like 2027-01-31T00:00:00Z")
	}
	return at
}

// Choose is what one of some words stands for, and otherwise where the parameter
// is left out.
func Choose[T any](q *Query, name string, otherwise T, words map[string]T) T {
	text := q.Text(name)
	if text == "" {
		return otherwise
	}
	chosen, ok := words[text]
	if !ok {
		q.Unmeant(name, text, slices.Sorted(maps.Keys(words)))
	}
	return chosen
}

// Unmeant notes a word that is none of those known.
func (q *Query) Unmeant(name, word string, known []string) {
	remedy := ""
	if near := policy.Nearest(word, known); near != "" {
		remedy = "did you mean " + near + "?"
	}
	q.fault(name, fmt.Sprintf("%q is not %s", word, strings.Join(known, " or ")), remedy)
}

func (q *Query) unknown(name string) {
	remedy := "leave it out"
	if near := policy.Nearest(name, slices.Sorted(maps.Keys(q.known))); near != "" {
		remedy = "did you mean " + near + "?"
	}
	q.fault(name, "there is no such parameter", remedy)
}

// Err is all that is wrong: as the mistakes of a body are, and nil where nothing
// is. Parameters that nobody asked for are wrong too.
func (q *Query) Err() error {
	for _, name := range slices.Sorted(maps.Keys(q.values)) {
		if !q.known[name] {
			q.unknown(name)
		}
	}
	if q.mistakes == nil {
		return nil
	}
	return &body.Refusal{Status: http.StatusBadRequest, Mistakes: q.mistakes}
}
