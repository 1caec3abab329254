package datapath

import (
	"math/bits"

	"github.com/postern-io/postern/pkg/policy"
)

// layout is how many elements a bank has room for. The program knows the numbers
// as constants, so more room takes another generation.
type layout struct{ records, classes, failsafes, lines4, lines6, nodes int }

// layoutOf is what p takes, but for the nodes: what takes those is known when
// they are written.
func layoutOf(p *policy.Plan) layout {
	l := layout{
		records:   max(p.Records.End(), 1) + p.Records.Shadows(),
		classes:   max(len(p.Classes), 1),
		failsafes: 1 + len(failsafeSets(p)),
	}
	for i := range p.Classes {
		n4, n6 := countSingles(p.Classes[i].Dests)
		l.lines4 += lineCount4(n4)
		l.lines6 += lineCount6(n6)
	}
	return l
}

// holds reports whether a bank of l has room for need. Nodes are no bank's.
func (l layout) holds(need layout) bool {
	return need.records <= l.records && need.classes <= l.classes && need.failsafes <= l.failsafes &&
		need.lines4 <= l.lines4 && need.lines6 <= l.lines6
}

// withHeadroom is l and a quarter more, so that a host that grows by an endpoint
// now and then stays in one generation.
func (l layout) withHeadroom() layout {
	grow := func(n int) int { return n + n/4 + 16 }
	return layout{
		grow(l.records), grow(l.classes), grow(l.failsafes), grow(l.lines4), grow(l.lines6),
		grow(l.nodes) + 1024, // 64 KiB: lists change more often than endpoints come
	}
}

// lineCount4 is how many lines hold n IPv4 addresses: two to four a line, where
// eight fit, so that about one in a thousand has to go to the trie.
func lineCount4(n int) int { return ceilPow2((n + 3) / 4) }

// lineCount6 is the same for IPv6: half an address to one a line, where three
// fit.
func lineCount6(n int) int { return ceilPow2(n) }

func ceilPow2(n int) int {
	if n <= 1 {
		return n
	}
	return 1 << bits.Len(uint(n-1))
}

func countSingles(dests []policy.Dest) (n4, n6 int) {
	for _, d := range dests {
		switch {
		case !d.Prefix.IsSingleIP():
		case d.Prefix.Addr().Is4():
			n4++
		default:
			n6++
		}
	}
	return n4, n6
}

// failsafeSets are the sets that p's ports name, each once, in order. The n-th
// has the index n+1.
func failsafeSets(p *policy.Plan) []*policy.Set {
	var sets []*policy.Set
	seen := map[*policy.Set]bool{nil: true}
	for _, ports := range [][]policy.PortClass{p.TCP, p.UDP} {
		for _, pc := range ports {
			if !seen[pc.Failsafe] {
				seen[pc.Failsafe] = true
				sets = append(sets, pc.Failsafe)
			}
		}
	}
	return sets
}

// nodesFor is how many nodes the lists of p take.
func nodesFor(p *policy.Plan) int {
	index := newLists(nil, nil).index
	seen := map[*policy.Set]bool{nil: true}
	total := 0
	add := func(s *policy.Set) {
		if !seen[s] {
			seen[s] = true
			total += index[v4].room(s) + index[v6].room(s)
		}
	}
	for _, r := range p.Records.All() {
		for _, s := range recordSets(r) {
			add(s)
		}
	}
	for _, s := range planSets(p) {
		add(s)
	}
	return total
}
