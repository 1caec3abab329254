package metrics

import (
	"sync"
	"sync/atomic"
)

// Verdict is what the gate made of a request.
type Verdict uint8

// The verdicts, by the label they have.
const (
	Allow     Verdict = iota
	Deny              // refused
	WouldDeny         // let through because something only monitors
	verdicts
)

func (v Verdict) String() string {
	return [verdicts]string{"allow", "deny", "would-deny"}[v]
}

// key is what is counted apart: an endpoint's or a tenant's requests of a verdict.
type key struct {
	name    string
	verdict Verdict
}

// tallies count by name and verdict. Names are the configuration's, never a
// request's, so there are no more of them than it holds.
type tallies struct {
	mu sync.RWMutex
	by map[string]*tally
}

type tally [verdicts]atomic.Uint64

func newTallies() *tallies { return &tallies{by: map[string]*tally{}} }

func (ts *tallies) add(name string, v Verdict) { ts.of(name)[v].Add(1) }

func (ts *tallies) of(name string) *tally {
	ts.mu.RLock()
	t := ts.by[name]
	ts.mu.RUnlock()
	if t != nil {
		return t
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t = ts.by[name]; t == nil {
		t = new(tally)
		ts.by[name] = t
	}
	return t
}

func (ts *tallies) read() map[string][verdicts]uint64 {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	counts := make(map[string][verdicts]uint64, len(ts.by))
	for name, t := range ts.by {
		var n [verdicts]uint64
		for v := range t {
			n[v] = t[v].Load()
		}
		counts[name] = n
	}
	return counts
}
