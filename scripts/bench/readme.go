package main

import (
	"fmt"
	"os"
	"path"
	"strings"
)

// The lines of README.md between which the results stand.
const (
	openMark  = "<!-- bench -->\n"
	closeMark = "<!-- /bench -->\n"
)

// intoReadme puts the goals and the plots of dir into a README.
func (j *journal) intoReadme(name, dir string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, opened := strings.Cut(string(text), openMark)
	_, after, closed := strings.Cut(rest, closeMark)
	if !opened || !closed {
		return fmt.Errorf("put the results into %s: it has no lines %s and %s", name, strings.TrimSpace(openMark), strings.TrimSpace(closeMark))
	}
	return os.WriteFile(name, []byte(before+openMark+j.markdown(dir)+closeMark+after), 0o644)
}

func (j *journal) markdown(dir string) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| work | goal | measured | |\n|---|---|---|---|")
	for _, r := range j.Goals {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.Work, r.Goal, r.Measured, r.text())
	}
	fmt.Fprintln(&b)
	for _, p := range plots {
		fmt.Fprintf(&b, "![%s](%s)\n\n", p.title, path.Join(dir, p.file))
	}
	for _, text := range append(j.reasons(), j.remarks()...) {
		fmt.Fprintf(&b, "- %s\n", text)
	}
	return b.String()
}
