package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// table aligns cells in columns. Colours come after the alignment, a row at a
// time: they have no width.
type table struct {
	rows []row
}

type row struct {
	cells  []string
	colour colour
}

func (t *table) add(with colour, cells ...string) {
	t.rows = append(t.rows, row{cells, with})
}

func (t *table) write(w io.Writer, c *console) {
	widths := t.widths()
	for _, r := range t.rows {
		var line strings.Builder
		for i, cell := range r.cells {
			line.WriteString(cell)
			if i+1 < len(r.cells) {
				line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		fmt.Fprintln(w, c.paint(r.colour, strings.TrimRight(line.String(), " ")))
	}
}

func (t *table) widths() []int {
	var widths []int
	for _, r := range t.rows {
		for i, cell := range r.cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}
