package body

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Text is any text. It is a copy: whoever keeps it keeps no body with it.
func Text(into *string) Shape {
	return func(f *findings, v *value) {
		if f.is(v, text) {
			*into = strings.Clone(v.text)
		}
	}
}

// Line is text that people read: one line, of at most so many characters.
func Line(into *string, most int) Shape {
	return Check(Text(into), func() error {
		if what, remedy := policy.WrongText(*into, most); what != "" {
			return &Mistake{What: what, Remedy: remedy}
		}
		return nil
	})
}

// Flag is true or false.
func Flag(into *bool) Shape {
	return func(f *findings, v *value) {
		if f.is(v, boolean) {
			*into = v.raw == "true"
		}
	}
}

// Int is a whole number from least to most.
func Int(into *int, least, most int) Shape {
	return func(f *findings, v *value) {
		if !f.is(v, number) {
			return
		}
		n, err := strconv.Atoi(v.raw)
		if err != nil || n < least || n > most {
			f.fault(fmt.Sprintf("%s is not a whole number from %d to %d", cut(v.raw), least, most), "")
			return
		}
		*into = n
	}
}

// Time is an RFC 3339 time with its zone.
func Time(into *time.Time) Shape {
	return func(f *findings, v *value) {
		if !f.is(v, text) {
			return
		}
		at, err := time.Parse(time.RFC3339, v.text)
		if err != nil {
			f.fault(show(v.text)+" is not an RFC 3339 time with its zone", "write it like 2027-01-31T00:00:00Z")
			return
		}
		*into = at
	}
}

// Choose is one of some words, each of which stands for a value.
func Choose[T any](into *T, words map[string]T) Shape {
	return func(f *findings, v *value) {
		if !f.is(v, text) {
			return
		}
		chosen, ok := words[v.text]
		if !ok {
			known := slices.Sorted(maps.Keys(words))
			f.fault(fmt.Sprintf("%s is not %s", show(v.text), strings.Join(known, " or ")), meant(v.text, known))
			return
		}
		*into = chosen
	}
}

// Words are values by their own names, for Choose.
func Words[T fmt.Stringer](values ...T) map[string]T {
	words := make(map[string]T, len(values))
	for _, v := range values {
		words[v.String()] = v
	}
	return words
}

// Raw is any value at all, kept as it was sent.
func Raw(into *json.RawMessage) Shape {
	return func(_ *findings, v *value) { *into = json.RawMessage(v.raw) }
}

// RawObject is any object, kept as it was sent.
func RawObject(into *json.RawMessage) Shape {
	return func(f *findings, v *value) {
		if f.is(v, object) {
			Raw(into)(f, v)
		}
	}
}

func cut(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}
