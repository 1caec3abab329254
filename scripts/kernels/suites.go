package main

import (
	"path"
	"strings"
)

// suite is a package whose tests run in the guest, all but those left out.
type suite struct {
	dir  string
	left []leftOut
}

// leftOut is a test, or a subtest after slashes.
type leftOut struct{ test, why string }

// suites are what runs, in this order.
var suites = []suite{
	{dir: "pkg/datapath", left: []leftOut{
		{"TestAgreement", "ten million addresses at 91,065 tenants; TestIndexIsTheSet asks at the edges"},
		{"TestFlips/normal", "ten million verdicts, twice; TestFlips/widened is the stricter"},
		{"TestMillionSources", "2.6 million runs of the program, two minutes here; TestRandomPlans compares 40,000"},
		{"TestWatchHost", "counts on three commands within 50 ms"},
	}},
	{dir: "cmd/postern"},
	{dir: "pkg/testenv"},
}

// binary is the suite's test binary, by its path in the repository.
func (s suite) binary() string { return path.Join(s.dir, path.Base(s.dir)+".test") }

// skip is what -test.skip takes.
func (s suite) skip() string {
	names := make([]string, len(s.left))
	for i, l := range s.left {
		names[i] = "^" + strings.ReplaceAll(l.test, "/", "$/^") + "$"
	}
	return strings.Join(names, "|")
}
