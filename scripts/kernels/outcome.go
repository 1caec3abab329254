package main

import (
	"regexp"
	"strings"
)

// outcome is what became of a suite.
type outcome struct {
	passed, failed int    // tests; a skipped one could not run, and failed
	said           string // by those that failed
	seconds, end   string
}

var (
	exit   = regexp.MustCompile(`(?m)^EXIT (\S+) (\d+) (.*)$`)
	start  = regexp.MustCompile(`(?m)^=== RUN +[^/\s]+$`)
	passed = regexp.MustCompile(`(?m)^--- PASS: `)
	skip   = regexp.MustCompile(`(?m)^ *--- SKIP: `)
	noise  = regexp.MustCompile(`(?m)^(=== | *--- PASS: ).*\n`)
)

// read finds a suite's part of what a guest said, and counts.
func read(dir, said string) outcome {
	o := outcome{end: "it did not begin", seconds: "-"}
	_, said, begun := strings.Cut(said, "\nBEGIN "+dir+"\n")
	if !begun {
		return o
	}
	o.end = "it did not end"
	if m := exit.FindStringSubmatchIndex(said); m != nil {
		o.seconds, o.end, said = said[m[4]:m[5]], said[m[6]:m[7]], said[:m[0]]
	}
	starts := append(start.FindAllStringIndex(said, -1), []int{len(said), 0})
	for i, at := range starts[:len(starts)-1] {
		test := said[at[0]:starts[i+1][0]]
		if passed.MatchString(test) && !skip.MatchString(test) {
			o.passed++
			continue
		}
		o.failed++
		o.said += noise.ReplaceAllString(test, "")
	}
	return o
}
