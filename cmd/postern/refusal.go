package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/api/v1"
)

// told is an error as the user is told it: of a refusal every mistake, a line
// each, and what to do about it.
func told(err error) string {
	p, ok := errors.AsType[*v1.Problem](err)
	if !ok {
		return err.Error()
	}
	lines, repeated := mistakes(p)
	if !repeated {
		lines = slices.Insert(lines, 0, withRemedy(p.Detail, remedy(p)))
	}
	before, _, _ := strings.Cut(err.Error(), p.Error())
	lines[0] = before + lines[0]
	for _, w := range p.Warnings {
		lines = append(lines, warning(w))
	}
	return strings.Join(lines, "\n")
}

// mistakes are those of a refusal; repeated says that its detail is nothing else.
func mistakes(p *v1.Problem) (lines []string, repeated bool) {
	repeated = len(p.Mistakes) > 0
	for _, m := range p.Mistakes {
		what := m.What
		if m.Path != "" {
			what = m.Path + ": " + what
		}
		lines = append(lines, withRemedy(what, m.Remedy))
		repeated = repeated && strings.Contains(p.Detail, m.What)
	}
	return lines, repeated
}

// remedy is what to type, where the agent cannot know it.
func remedy(p *v1.Problem) string {
	switch p.Type {
	case v1.ProblemTypeUrnPosternUnauthenticated:
		return "name another key with --key-file"
	case v1.ProblemTypeUrnPosternChanged:
		return "look at it again, and repeat it"
	case v1.ProblemTypeUrnPosternTooMany:
		return fmt.Sprintf("ask again in %d seconds", p.RetryAfter)
	}
	return ""
}

func withRemedy(what, remedy string) string {
	if remedy == "" {
		return what
	}
	return what + "; " + remedy
}

// warning is "warning: tenants/acme/*: what; remedy".
func warning(w v1.Warning) string {
	what := w.What
	if !strings.Contains(what, w.List) {
		what = w.List + ": " + what
	}
	return "warning: " + withRemedy(what, w.Remedy)
}

// warn tells what is legal and unlikely to be meant.
func (c *console) warn(warnings []v1.Warning) {
	for _, w := range warnings {
		fmt.Fprintln(c.err, warning(w))
	}
}

// isNotFound reports whether the agent says that there is no such thing.
func isNotFound(err error) bool {
	p, ok := errors.AsType[*v1.Problem](err)
	return ok && p.Type == v1.ProblemTypeUrnPosternNotFound
}
