package main

import (
	"fmt"
)

// goal is a number to reach.
type goal struct {
	work  string
	floor bool // at least so much; else at most
	want  float64
	unit  string
	refs  []ref // what is held to it: the worst of these
	bare  ref   // the bare drop beside it, where the goal is a time over it or a share of it
	why   string
}

// ref names a point of the journal.
type ref struct{ section, row, series string }

// both are the times of the program for whoever is on the list and whoever is
// not.
func both(section, row string) []ref {
	return []ref{{section, row, "index, listed"}, {section, row, "index, not listed"}}
}

func one(section, row, series string) []ref { return []ref{{section, row, series}} }

// goals are in the order of the table they are printed in. Why says what is
// known of a goal that is missed, and what would be tried next.
var goals = []goal{
	{
		work: "program over a bare drop: 100 endpoints, lists of up to 8 ranges", want: 35, unit: "ns",
		refs: both("destinations", "100"), bare: ref{"destinations", "100", "bare drop, listed"},
		why: "parse, match and counters are the most of it; next: count per batch where the driver has one",
	},
	{
		work: "program over a bare drop: 91,065 destinations, uniform over all", want: 110, unit: "ns",
		refs: both("destinations", "91,065"), bare: ref{"destinations", "91,065", "bare drop, listed"},
		why: "a destination is one miss, of some 130 ns on this machine, and one in seven has a list too long to lie there, which is a second; next: huge pages",
	},
	{
		work: "program over a bare drop: one list of 900,000 ranges that do not merge, uniform", want: 130, unit: "ns",
		refs: both("list", "900,000"), bare: ref{"list", "900,000", "bare drop, listed"},
		why: "a slot of the root and the line it points to are two misses in a row, of some 130 ns each on this machine; next: few ends in the slot itself",
	},
	share("100", 0.9), share("564,580", 0.8), share("900,000", 0.7),
	over(nftables, "100", 2.3), over(ipset, "100", 2.7),
	over(nftables, "7,905", 2.5), over(ipset, "7,905", 4.5),
	over(nftables, "564,580", 4), over(ipset, "564,580", 10),
	{
		work: "kernel memory, 91,065 tenants, 732,483 prefixes, by cgroup", want: 128, unit: "MB",
		refs: one("memory", tenantsByASN, "kernel, MB"),
		why:  "an entry of a trie takes two nodes; next: no trie where the index answers",
	},
	{
		work: "the same while all is replaced", want: 224, unit: "MB",
		refs: one("memory", tenantsByASN, "kernel while all is replaced, MB"),
		why:  "old and new lists stand side by side; next: replace in portions, each whole in itself",
	},
	{
		work: "one entry changed at that size, API call to a packet judged by it, durable: p50", want: 10, unit: "ms",
		refs: one("api", tenantsByASN, "call to judged packet p50, ms"),
		why:  "the steps stand in the table of changes; next: those that walk over every tenant",
	},
	{
		work: "the same: p99", want: 50, unit: "ms",
		refs: one("api", tenantsByASN, "call to judged packet p99, ms"),
		why:  "the disk's sync, while the snapshot is saved beside it; next: a log of changes for the snapshot",
	},
	{
		work: "cold start at that size, from the store to attached and probed", want: 3, unit: "s",
		refs: one("start", tenantsByASN, "attached, s"),
		why:  "the steps stand in the table of starts; next: compile tenants on every CPU",
	},
	{
		work: "lists replaced under full load, normal and widened build: verdicts looked at", floor: true, want: 10e6,
		refs: []ref{{"flips", "normal", "verdicts"}, {"flips", "widened", "verdicts"}},
		why:  "the test ended early",
	},
	{
		work: "the same: wrong verdicts", want: 0,
		refs: []ref{{"flips", "normal", "wrong"}, {"flips", "widened", "wrong"}},
		why:  "this must not be",
	},
	{
		work: "gate decision, peer, xff and by host, 10 and 900,000 entries", want: 300, unit: "ns",
		refs: gateRefs("ns"),
		why:  "reading the header and finding the tenant by host is the most of it; next: no second look at the header",
	},
	{work: "the same: allocations", want: 0, refs: gateRefs("allocations"), why: "see the benchmark of pkg/gate"},
	{
		work: "the same: 900,000 entries over 10", want: 1.2, unit: "times",
		refs: gateRefs("times")[3:],
		why:  "the law searches the list; next: the index's tree in Go",
	},
}

func share(prefixes string, want float64) goal {
	return goal{
		work: "live frames, share of a bare drop's rate: " + prefixes + " prefixes", floor: true, want: want,
		refs: one("live-share", prefixes, postern), bare: ref{"live-ns", prefixes, bareDrop},
		why: "a share falls as the sender gets faster: the bare cost is sending, the veth and the drop; next: the program's own time, above",
	}
}

func over(peer, prefixes string, want float64) goal {
	return goal{
		work: "live frames, rate over that of " + peer + ": " + prefixes + " prefixes", floor: true, want: want, unit: "times",
		refs: one("live-over", prefixes, peer), bare: ref{"live-ns", prefixes, bareDrop},
		why: "of Postern's time of a frame, the most is sending it; next: the program's own time, above",
	}
}

func gateRefs(series string) []ref {
	var refs []ref
	for _, entries := range []string{"10", "900,000"} {
		for _, client := range []string{"peer", "xff", "xff-by-host"} {
			refs = append(refs, ref{"gate", client + ", " + entries + " entries", series})
		}
	}
	return refs
}

// result is what became of a goal.
type result struct {
	Work     string  `json:"work"`
	Goal     string  `json:"goal"`
	Measured string  `json:"measured"`
	Verdict  verdict `json:"verdict"`
	Off      float64 `json:"off,omitempty"` // by what share of the goal it was missed
	Why      string  `json:"why,omitempty"`
}

type verdict string

const (
	held        verdict = "held"
	missed      verdict = "missed"
	notMeasured verdict = "not measured"
)

// judge holds the journal to g.
func (g goal) judge(j *journal) result {
	r := result{Work: g.work, Goal: g.text(), Verdict: notMeasured}
	worst, ok := g.worst(j)
	if !ok {
		return r
	}
	r.Measured, r.Verdict = worst.text(g.unit), held
	if bare, ok := j.find(g.bare.section, g.bare.row, g.bare.series); ok {
		r.Measured += fmt.Sprintf(", bare %s", bare.text("ns"))
	}
	if over := g.beyond(worst.Median); over > 0 {
		r.Verdict, r.Why = missed, g.why
		if g.want != 0 {
			r.Off = over / g.want
		}
	}
	return r
}

func (g goal) text() string {
	sign := "<="
	if g.floor {
		sign = ">="
	}
	return sign + " " + amount(g.want, g.unit)
}

// beyond is by how much v misses g; not positive where it holds.
func (g goal) beyond(v float64) float64 {
	if g.floor {
		return g.want - v
	}
	return v - g.want
}

func (g goal) worst(j *journal) (worst sample, ok bool) {
	for i, r := range g.refs {
		s, found := j.find(r.section, r.row, r.series)
		if !found {
			return sample{}, false
		}
		if i == 0 || g.beyond(s.Median) > g.beyond(worst.Median) {
			worst = s
		}
	}
	return worst, true
}
