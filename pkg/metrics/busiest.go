package metrics

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

const (
	// maxTenants is how many tenants have a series of their own.
	maxTenants = 100
	// rankEvery is how long a full ranking holds, however often somebody scrapes.
	rankEvery = time.Minute
	// others is the label of all the rest. A tenant of that very name is always
	// among them.
	others = "other"
)

// busiest counts requests by tenant and tells the busiest apart.
//
// Every tenant is counted exactly: some hundred bytes for each that was ever
// asked for, where a sketch would overstate whom it has just let in. And each
// request is told under one label for good, under its tenant's if that has a
// series when it is told, else as other: so no series ever falls as tenants come
// and go among the busiest, and the sum of all is the number of requests.
type busiest struct {
	counts *tallies

	mu      sync.Mutex
	ranked  time.Time
	tenants map[string]*standing
	rest    [verdicts]uint64
}

// standing is how a tenant's requests are told.
type standing struct {
	name  string
	own   bool             // has a series
	told  [verdicts]uint64 // so far, under either label
	apart [verdicts]uint64 // of these, under its own
	pace  uint64           // requests lately: the past fades by half a ranking
	last  uint64           // requests up to the last ranking
}

func newBusiest() *busiest {
	return &busiest{counts: newTallies(), tenants: map[string]*standing{}}
}

// read is what to tell at now.
func (b *busiest) read(now time.Time) map[key]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	counts := b.counts.read()
	for name := range counts {
		if b.tenants[name] == nil {
			b.tenants[name] = &standing{name: name}
		}
	}
	if len(b.tenants) <= maxTenants || now.Sub(b.ranked) >= rankEvery {
		b.rank(counts)
		b.ranked = now
	}
	return b.tell(counts)
}

func (b *busiest) rank(counts map[string][verdicts]uint64) {
	order := make([]*standing, 0, len(b.tenants))
	for name, s := range b.tenants {
		var total uint64
		for _, n := range counts[name] {
			total += n
		}
		s.pace, s.last = s.pace/2+total-s.last, total
		s.own = false
		if name != others {
			order = append(order, s)
		}
	}
	slices.SortFunc(order, func(a, b *standing) int {
		return cmp.Or(cmp.Compare(b.pace, a.pace), cmp.Compare(a.name, b.name))
	})
	for _, s := range order[:min(len(order), maxTenants)] {
		s.own = true
	}
}

// tell books what is new under the label each tenant has now.
func (b *busiest) tell(counts map[string][verdicts]uint64) map[key]uint64 {
	told := make(map[key]uint64, (maxTenants+1)*int(verdicts))
	for name, s := range b.tenants {
		for v, n := range counts[name] {
			fresh := n - s.told[v]
			s.told[v] = n
			if !s.own {
				b.rest[v] += fresh
				continue
			}
			s.apart[v] += fresh
			told[key{name, Verdict(v)}] = s.apart[v]
		}
	}
	for v, n := range b.rest {
		told[key{others, Verdict(v)}] = n
	}
	return told
}
