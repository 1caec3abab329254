package agent

import (
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/config"
)

// intake gathers the files to be read, until none of them has changed for a
// while. What was not told is found by walks over the directories, which run
// beside the loop: at 90,000 files one takes longer than an edit may.
type intake struct {
	due     config.Scan
	since   time.Time   // of the first change among due; zero: none
	settled *time.Timer // rings when due is to be read
	walks   chan walk
	walking bool
	again   bool // something came or went during the walk
}

// walk is what a walk found, and in whose directories.
type walk struct {
	of    *config.Config
	found config.Scan
}

func newIntake() *intake {
	in := &intake{settled: time.NewTimer(quiet), walks: make(chan walk, 1)}
	in.settled.Stop()
	return in
}

// touch takes files that have just changed.
func (in *intake) touch(names []string) {
	if len(names) > 0 {
		in.add(config.Scan{Files: names})
	}
}

func (in *intake) add(s config.Scan) {
	in.due.Add(s)
	if in.since.IsZero() {
		in.since = time.Now()
	}
	if time.Since(in.since) < patience {
		in.settled.Reset(quiet)
	}
}

// walk has the directories of r walked over.
func (in *intake) walk(r *reading) {
	if in.walking {
		in.again = true
		return
	}
	in.walking, in.again = true, false
	go func() { in.walks <- walk{r.listed, r.listed.Scan(r.lists)} }()
}

// walked takes what a walk found, if that is anything new; again asks for a reading
// all the same. It is not read at once: a file may be half written.
func (in *intake) walked(w walk, r *reading, again bool) {
	in.walking = false
	if slices.Equal(w.of.ListDirs, r.listed.ListDirs) && (again || !r.isCurrent(w.found)) {
		in.add(w.found)
	}
	if in.again {
		in.walk(r)
	}
}

// take is what is to be read now.
func (in *intake) take() config.Scan {
	due := in.due
	in.due, in.since = config.Scan{}, time.Time{}
	return due
}
