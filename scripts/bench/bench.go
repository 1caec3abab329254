package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/postern-io/postern/pkg/datapath"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// bench is a run: what is measured, at what length, and what came of it.
type bench struct {
	*testenv.Stage
	*journal
	scale
	lists *lists
	start time.Time
}

// scale is how long a run takes.
type scale struct {
	packets, rounds     int   // of a program's time
	ranges, endpoints   []int // of a program's time: how many
	frames, liveRounds  int
	edits, replacements int
}

var (
	full = scale{
		packets: 1 << 18, rounds: 7,
		ranges:    []int{1, 3, 8, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, most},
		endpoints: []int{1, 10, 100, 1000, 10_000, everyTenant},
		frames:    400_000, liveRounds: 7, edits: 200, replacements: 3,
	}
	quick = scale{
		packets: 1 << 17, rounds: 3,
		ranges:    []int{1, 1000, most},
		endpoints: []int{100, everyTenant},
		frames:    200_000, liveRounds: 3, edits: 20, replacements: 1,
	}
)

// most is the longest list that is measured.
const most = 900_000

// act measures something with a stage of its own.
func (b *bench) act(f func(b *bench)) {
	b.Act(func(s *testenv.Stage) {
		part := *b
		part.Stage = s
		f(&part)
	})
	runtime.GC() // what the act put up is no burden to the next
}

// progress tells the reader what is going on, beside the results.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: %4.0fs "+format+"\n", append([]any{time.Since(b.start).Seconds()}, args...)...)
}

// lookup is what answers for a list in the kernel.
type lookup string

const (
	byIndex lookup = "index"
	byTrie  lookup = "trie"
)

// newPostern is a datapath with pins of its own.
func (b *bench) newPostern(by lookup) *datapath.Datapath {
	return b.posternAt(by, filepath.Join(testenv.BPFFS(b), "postern"))
}

func (b *bench) posternAt(by lookup, pins string) *datapath.Datapath {
	cfg := datapath.Config{PinDir: pins}
	if by == byTrie {
		cfg.MaxIndexBytes = -1
	}
	d, err := datapath.New(cfg)
	b.Check(err)
	b.Cleanup(func() { _ = d.Close() })
	return d
}

// compile is a policy as the kernel and the gate take it.
func (b *bench) compile(s *policy.State) *policy.Table {
	t, err := policy.Compile(s, policy.Host{}, time.Unix(1, 0))
	b.Check(err)
	return t
}
