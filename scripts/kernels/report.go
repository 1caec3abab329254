package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"
)

// report is what became of all kernels: a table of the programs, one of the
// tests, and what failed at length.
type report struct {
	only            string // a pattern: not all tests were meant to run
	programs, tests [][]string
	missing         []string // kernels that could not be had, and why
	failures        []string
	failed          bool
}

// verified is a line that TestVerifier logs.
var verified = regexp.MustCompile(`(\w+): (\d+) insns verified, (\d+) bytes translated`)

// add takes what k's suites said, and what came between k and its end.
func (r *report) add(k kernel, said string, err error) {
	if err != nil {
		r.fail(k, err.Error())
	}
	said = strings.ReplaceAll(said, "\r\n", "\n")
	for _, m := range verified.FindAllStringSubmatch(said, -1) {
		r.programs = append(r.programs, append([]string{k.release()}, m[1:]...))
	}
	for _, s := range suites {
		o := read(s.dir, said)
		r.tests = append(r.tests, []string{
			k.release(), s.dir, fmt.Sprint(o.passed), fmt.Sprint(o.failed), fmt.Sprint(len(s.left)), o.seconds,
		})
		if o.end != "ok" || o.failed > 0 || o.passed == 0 && r.only == "" {
			r.fail(k, fmt.Sprintf("%s: %s\n%s", s.dir, o.end, o.said))
		}
	}
}

// absent takes a kernel that could not be had.
func (r *report) absent(series string, promised bool, why error) {
	r.missing = append(r.missing, fmt.Sprintf("%s is absent: %v", series, why))
	r.failed = r.failed || promised
}

func (r *report) fail(k kernel, text string) {
	r.failed = true
	r.failures = append(r.failures, k.String()+": "+strings.TrimSpace(text))
}

// print writes all of it, and returns an error where something failed.
func (r *report) print(w io.Writer) error {
	for _, text := range r.failures {
		fmt.Fprintf(w, "%s\n\n", text)
	}
	printTable(w, []string{"KERNEL", "PROGRAM", "INSNS VERIFIED", "BYTES TRANSLATED"}, r.programs)
	printTable(w, []string{"KERNEL", "TESTS OF", "PASSED", "FAILED", "LEFT OUT", "SECONDS"}, r.tests)
	for _, m := range r.missing {
		fmt.Fprintln(w, m)
	}
	for _, s := range suites {
		for _, l := range s.left {
			fmt.Fprintf(w, "left out of %s: %s: %s\n", s.dir, l.test, l.why)
		}
	}
	if r.only != "" {
		fmt.Fprintf(w, "left out of all: what does not match %s\n", r.only)
	}
	if r.failed {
		return errors.New("not all is well on every kernel")
	}
	return nil
}

func printTable(w io.Writer, head []string, rows [][]string) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	fmt.Fprintln(table)
	table.Flush()
}
