package policy

import (
	"slices"
	"time"
)

// summary is what is known of all tenants together. It is brought from one
// revision to the next by those that changed.
type summary struct {
	ids       []string  // sorted
	until     time.Time // when the first of them is to be compiled again; zero: never
	monitored int       // how many have a list in monitor
}

// next is the summary of now, where s is that of before.
func (s summary) next(before, now Map[tenantLists]) summary {
	var turned []string
	stale := false
	for c := range now.Since(before) {
		was, is := c.Before.span(), c.After.span()
		s.monitored += count(is.monitored) - count(was.monitored)
		stale = stale || !was.until.IsZero() && was.until.Equal(s.until)
		s.until = sooner(s.until, is.until)
		if c.Before == nil || c.After == nil {
			turned = append(turned, c.Name)
		}
	}
	if stale { // it was the first: another is now
		s.until = time.Time{}
		for _, ts := range now.All() {
			s.until = sooner(s.until, ts.until)
		}
	}
	s.ids = turn(s.ids, turned)
	return s
}

// span is the lifespan of a tenant's lists; one that is not there has none.
func (ts *tenantLists) span() lifespan {
	if ts == nil {
		return lifespan{}
	}
	return ts.lifespan
}

// turn takes names out of sorted ones, or puts in those that are not there.
func turn(sorted, names []string) []string {
	if len(names) == 0 {
		return sorted
	}
	slices.Sort(names)
	turned := make([]string, 0, len(sorted)+len(names))
	for _, name := range names {
		i, there := slices.BinarySearch(sorted, name)
		turned = append(turned, sorted[:i]...)
		if sorted = sorted[i:]; there {
			sorted = sorted[1:]
		} else {
			turned = append(turned, name)
		}
	}
	return append(turned, sorted...)
}
