// Package accept reads the Accept header of those who were refused: some want the
// reason as text, some as JSON.
package accept

import (
	"strconv"
	"strings"
)

// PrefersJSON reports whether an Accept header ranks JSON above plain text: by
// weight, and at equal weight by being named where text is only covered.
func PrefersJSON(accept []string) bool {
	json, text := rank{}, rank{}
	for _, line := range accept {
		for item := range strings.SplitSeq(line, ",") {
			mediaRange, params, _ := strings.Cut(item, ";")
			mediaRange = strings.ToLower(strings.Trim(mediaRange, " \t"))
			json.weigh(mediaRange, params, "application/*", "application/json")
			text.weigh(mediaRange, params, "text/*", "text/plain")
		}
	}
	return json.weight > text.weight || json.weight == text.weight && json.weight > 0 && json.precise > text.precise
}

// rank is how an Accept header ranks one media type: the weight that the most
// precise range gives it (RFC 9110, 12.5.1), and how precise that was.
type rank struct {
	precise int // 1: */*, 2: type/*, 3: the type; 0: not mentioned
	weight  float64
}

func (r *rank) weigh(mediaRange, params, family, exact string) {
	precise := 0
	switch mediaRange {
	case "*/*":
		precise = 1
	case family:
		precise = 2
	case exact:
		precise = 3
	}
	if precise > r.precise {
		r.precise, r.weight = precise, weight(params)
	}
}

// weight is the q among a range's parameters. One that cannot be read asks for
// nothing.
func weight(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.Trim(param, " \t"), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		if q, err := strconv.ParseFloat(value, 64); err == nil && 0 <= q && q <= 1 {
			return q
		}
		return 0
	}
	return 1
}
