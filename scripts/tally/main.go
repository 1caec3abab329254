// Tally runs go test with its arguments and counts: it prints what go test
// would, ends with one line of totals, and fails on a skipped test as on a
// failed one, so that a test that could not run never passes for one that did.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

func main() {
	t := tally{out: os.Stdout, log: map[key]*strings.Builder{}}
	start := time.Now()
	err := t.run(append([]string{"test", "-json"}, os.Args[1:]...))
	fmt.Printf("%d passed, %d failed, %d skipped in %d packages, %v\n",
		t.passed, t.failed, t.skipped, t.packages, time.Since(start).Round(time.Second))
	if err == nil && (t.skipped > 0 || t.passed == 0) {
		err = errors.New("a run that skips tests, or has none, proves nothing")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(1)
	}
}

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output string
}

type key struct{ pkg, test string }

type tally struct {
	out      io.Writer
	log      map[key]*strings.Builder // what unfinished tests have said
	passed   int
	failed   int
	skipped  int
	packages int
}

func (t *tally) run(args []string) error {
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := t.read(pipe); err != nil {
		return errors.Join(fmt.Errorf("read go test -json: %w", err), cmd.Wait())
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	return nil
}

func (t *tally) read(r io.Reader) error {
	for dec := json.NewDecoder(r); ; {
		var e event
		switch err := dec.Decode(&e); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case e.Test == "":
			t.packageEvent(e)
		default:
			t.testEvent(e)
		}
	}
}

func (t *tally) packageEvent(e event) {
	switch e.Action {
	case "output", "build-output":
		if e.Output != "PASS\n" {
			fmt.Fprint(t.out, e.Output)
		}
	case "pass":
		t.packages++
	case "fail":
		t.packages++
		for k := range t.log { // what a crash or a timeout left unfinished
			if k.pkg == e.Package {
				t.show(k)
			}
		}
	}
}

func (t *tally) testEvent(e event) {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "output":
		if t.log[k] == nil {
			t.log[k] = &strings.Builder{}
		}
		t.log[k].WriteString(e.Output)
	case "pass":
		t.passed++
		delete(t.log, k)
	case "fail":
		t.failed++
		t.show(k)
	case "skip":
		t.skipped++
		t.show(k)
	}
}

// show prints what a test said and forgets it.
func (t *tally) show(k key) {
	if log := t.log[k]; log != nil {
		fmt.Fprint(t.out, log)
		delete(t.log, k)
	}
}
