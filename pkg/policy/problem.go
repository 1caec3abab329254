package policy

import (
	"cmp"
	"slices"
	"strings"
)

// Problem is one thing wrong with what was written: an error, or a warning.
type Problem struct {
	Pos     Pos    `json:"pos"`
	Warning bool   `json:"warning,omitempty"`
	What    string `json:"what"`
	Remedy  string `json:"remedy,omitempty"`
}

// String is "file:line: what; remedy", with "warning: " before a warning.
func (p Problem) String() string {
	var b strings.Builder
	if pos := p.Pos.String(); pos != "" {
		b.WriteString(pos)
		b.WriteString(": ")
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.What)
	if p.Remedy != "" {
		b.WriteString("; ")
		b.WriteString(p.Remedy)
	}
	return b.String()
}

// Problems are all the mistakes of one reading. As an error they stand a line
// each.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Errors are the problems that are not warnings.
func (ps Problems) Errors() Problems {
	var errs Problems
	for _, p := range ps {
		if !p.Warning {
			errs = append(errs, p)
		}
	}
	return errs
}

// Err is ps's errors as an error, nil where there are only warnings.
func (ps Problems) Err() error {
	if errs := ps.Errors(); len(errs) > 0 {
		return errs
	}
	return nil
}

// Sort orders problems by file and line, and errors before warnings.
func (ps Problems) Sort() {
	severity := func(p Problem) int {
		if p.Warning {
			return 1
		}
		return 0
	}
	slices.SortFunc(ps, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(severity(a), severity(b)), cmp.Compare(a.What, b.What),
		)
	})
}
