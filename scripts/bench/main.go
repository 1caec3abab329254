// Bench measures what Postern costs beside what people would pick instead: the
// program's time by the size of lists and by endpoints, real frames into it and
// into its peers, what a listed client gets through under a flood, and what it
// takes to start, to change an entry and to replace everything. It prints tables
// and how the goals stand, and writes JSON and plots.
//
// Run it as root from the top of the repository: make bench. It works in network
// namespaces of its own and leaves nothing behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/postern-io/postern/pkg/testenv"
)

// part is something that can be run alone.
type part struct {
	name  string
	run   func(*bench)
	quick bool // has a place in a quick run
}

var parts = []part{
	{"programs", (*bench).programs, true},
	{"classes", (*bench).byClass, true},
	{"list", (*bench).byRanges, true},
	{"named", (*bench).byName, false},
	{"destinations", (*bench).byDestinations, true},
	{"cpus", (*bench).cpus, true},
	{"live", (*bench).live, true},
	{"mixed", (*bench).mixed, true},
	{"update", (*bench).updates, true},
	{"api", (*bench).calls, true},
	{"gate", (*bench).gate, true},
	{"flips", (*bench).flips, false},
}

// options are the command line.
type options struct {
	dir, lists, only string
	quick, readme    bool
}

func main() {
	var o options
	flag.StringVar(&o.dir, "o", "testdata/bench", "write bench.json and the plots to `DIR`")
	flag.StringVar(&o.lists, "lists", os.Getenv("POSTERN_LISTS"), "`DIR` of, or path to, "+tenantsFile+"; "+asnFile+" beside it")
	flag.StringVar(&o.only, "only", "", "run only these `PARTS` ("+names()+"), and write nothing")
	flag.BoolVar(&o.quick, "quick", false, "take about a minute: few rounds, and not everything")
	flag.BoolVar(&o.readme, "readme", false, "put the goals and the plots into README.md too")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	// SIGPIPE too: whoever pipes this into head must not keep it from clearing up.
	ctx, stop := signal.NotifyContext(context.Background(),
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func names() string {
	var all []string
	for _, p := range parts {
		all = append(all, p.name)
	}
	return strings.Join(all, ",")
}

func run(ctx context.Context, o options) error {
	chosen, err := o.parts()
	if err != nil {
		return err
	}
	j := &journal{Machine: thisMachine(), Quick: o.quick, Peers: peers(ctx)}
	b := bench{journal: j, scale: full, lists: newLists(o.lists), start: time.Now()}
	if o.quick {
		b.scale = quick
	}
	err = testenv.Play(ctx, func(s *testenv.Stage) {
		testenv.Root(s)
		if runtime.NumCPU() < 2 {
			s.Fatalf("this takes two CPUs")
		}
		b.Stage = s
		for _, p := range chosen {
			p.run(&b)
		}
	})
	j.Loads = b.lists.found
	j.judge()
	if o.only != "" {
		j.Goals = slices.DeleteFunc(j.Goals, func(r result) bool { return r.Verdict == notMeasured })
	}
	j.print(os.Stdout, colourful(os.Stdout))
	if err != nil || o.only != "" {
		return err
	}
	b.progress("done, nothing left behind")
	return j.publish(o.dir, o.readme)
}

// parts are what the options ask for.
func (o options) parts() ([]part, error) {
	if o.only == "" {
		return slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return o.quick && !p.quick }), nil
	}
	var chosen []part
	for name := range strings.SplitSeq(o.only, ",") {
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, errors.New("-only: there is no part " + name + ", only " + names())
		}
		chosen = append(chosen, parts[i])
	}
	return chosen, nil
}
