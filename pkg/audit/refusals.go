package audit

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Refused counts the attempts that were refused beyond the limit.
type Refused struct {
	Since time.Time `json:"since"`
	Total int       `json:"total"`
	By    []Cause   `json:"by"` // most first; causes beyond the first hundred are in Total only
}

// Cause is attempts of one kind from one address.
type Cause struct {
	Action string     `json:"action"`
	Source netip.Addr `json:"source,omitzero"`
	Count  int        `json:"count"`
}

const maxCauses = 100

// refusals decides which refused attempts get lines, and counts the others.
type refusals struct {
	limit   int
	since   time.Time // when the minute began; with a monotonic reading, so that it ends
	told    int       // lines in this minute
	total   int       // attempts without a line
	counted map[Cause]int
}

// turn begins another minute where the last is over. Counts outlive it, until
// they are reported.
func (r *refusals) turn(now time.Time) {
	if r.total == 0 && r.over(now) {
		r.since, r.told = now, 0
	}
}

func (r *refusals) over(now time.Time) bool { return now.Sub(r.since) >= time.Minute }

// count takes an attempt that gets no line.
func (r *refusals) count(rec Record) {
	r.total++
	cause := Cause{Action: rec.Action, Source: rec.Actor.From}
	if r.counted == nil {
		r.counted = map[Cause]int{}
	}
	if _, known := r.counted[cause]; known || len(r.counted) < maxCauses {
		r.counted[cause]++
	}
}

func (r *refusals) report() *Refused {
	report := &Refused{Since: r.since.UTC(), Total: r.total}
	for cause, n := range r.counted {
		cause.Count = n
		report.By = append(report.By, cause)
	}
	slices.SortFunc(report.By, func(a, b Cause) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Action, b.Action), a.Source.Compare(b.Source))
	})
	return report
}

func (r *refusals) reported() { r.total, r.counted = 0, nil }
