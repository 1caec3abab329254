package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
)

// goTest runs tests of a package of this module. What they measure or show needs
// a package's insides, so it is not said again here.
func (b *bench) goTest(args ...string) (out string, err error) {
	cmd := exec.CommandContext(b.Context(), "go", append([]string{"test", "-count=1"}, args...)...)
	cmd.Env = append(os.Environ(), "POSTERN_TEST_ROOT=1")
	text, err := cmd.CombinedOutput()
	b.Check(nil)
	return string(text), err
}

// judged is a line of go test's about the gate's benchmark.
var judged = regexp.MustCompile(`BenchmarkJudge/(\S+)/entries=(\d+)\S*\s+\d+\s+([\d.]+) ns/op\s+\d+ B/op\s+(\d+) allocs/op`)

// gate times the gate's decision, by its own benchmark.
func (b *bench) gate() {
	b.progress("gate: its benchmark")
	out, err := b.goTest("-run=^$", "-bench=^BenchmarkJudge$", "-benchmem", "./pkg/gate")
	if err != nil {
		b.note(fmt.Sprintf("The gate's benchmark failed: %v: %s", err, out))
	}
	few := map[string]float64{}
	for _, m := range judged.FindAllStringSubmatch(out, -1) {
		client, ns := m[1], parsed(m[3])
		row := fmt.Sprintf("%s, %s entries", client, thousands(int(parsed(m[2]))))
		b.add("gate", row, 0, "ns", once(ns))
		b.add("gate", row, 0, "allocations", once(parsed(m[4])))
		if few[client] == 0 {
			few[client] = ns
		}
		b.add("gate", row, 0, "times", once(ns/few[client]))
	}
}

// parsed is a number that a pattern let through.
func parsed(text string) float64 {
	n, _ := strconv.ParseFloat(text, 64)
	return n
}

// flips replaces whole lists under full load, by the test that does, in the
// normal and in the widened build.
func (b *bench) flips() {
	b.progress("replacement under load: its test")
	for _, build := range []string{"normal", "widened"} {
		out, err := b.goTest("-v", "-run=^TestFlips$/^"+build+"$", "./pkg/datapath")
		m := verdicts.FindStringSubmatch(out)
		if m == nil {
			b.note(fmt.Sprintf("The test of lists replaced under load, %s build: %v: %s", build, err, out))
			continue
		}
		b.add("flips", build, 0, "verdicts", once(parsed(m[1])))
		b.add("flips", build, 0, "wrong", once(wrongOf(out)))
	}
}

var (
	verdicts = regexp.MustCompile(`(\d+) verdicts`)
	wrong    = regexp.MustCompile(`(\d+) of \d+ verdicts were wrong`)
)

// wrongOf is how many verdicts the test found wrong.
func wrongOf(out string) float64 {
	if m := wrong.FindStringSubmatch(out); m != nil {
		return parsed(m[1])
	}
	return 0
}
