package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// report is the table of rows played so far.
type report struct {
	rows   []played
	off    int
	colour bool
}

type played struct {
	row
	sight
}

// ok reports whether what was seen is what the row wants, for the reason it
// wants.
func (p played) ok() bool {
	return p.seen == p.want && strings.Contains(p.because, p.why)
}

func newReport(to *os.File) *report {
	info, err := to.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &report{colour: terminal && os.Getenv("NO_COLOR") == ""}
}

func (r *report) add(row row, got sight) {
	p := played{row, got}
	r.rows = append(r.rows, p)
	if !p.ok() {
		r.off++
	}
}

func (r *report) print(w io.Writer) {
	if len(r.rows) == 0 {
		return
	}
	lines := [][]string{{"", "SENT", "FROM", "TO", "EXPECTED", "SEEN", "REASON"}}
	for i, p := range r.rows {
		because := p.because
		if !p.ok() {
			because += "; expected: " + p.why
		}
		lines = append(lines, []string{strconv.Itoa(i + 1), p.sent, p.from, p.to, p.want, p.seen, because})
	}
	for i, line := range aligned(lines) {
		style := ""
		switch {
		case i == 0:
			style = "1"
		case !r.rows[i-1].ok():
			style = "31"
		}
		fmt.Fprintln(w, r.paint(style, line))
	}
	r.printBodies(w)
}

// printBodies shows the refusals to the letter.
func (r *report) printBodies(w io.Writer) {
	fmt.Fprintln(w)
	for i, p := range r.rows {
		if p.body != "" && !strings.HasPrefix(p.body, served) {
			fmt.Fprintf(w, "body of %d: %s\n", i+1, p.body)
		}
	}
}

func (r *report) paint(style, line string) string {
	if !r.colour || style == "" {
		return line
	}
	return "\x1b[" + style + "m" + line + "\x1b[0m"
}

// aligned joins cells into lines, each column as wide as it needs.
func aligned(rows [][]string) []string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&b, "%-*s  ", widths[i], cell)
		}
		lines[n] = strings.TrimRight(b.String(), " ")
	}
	return lines
}
