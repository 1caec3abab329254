package datapath

import (
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// layout is how many elements a bank has room for. The program knows the numbers
// as constants, so more room takes another generation.
type layout struct{ records, classes, failsafes, exact, nodes int }

// layoutOf is what p takes with its destinations in places, but for the nodes:
// what takes those is known when they are written.
func layoutOf(p *policy.Plan, places *places) layout {
	return layout{
		records:   max(p.Records.End(), 1) + p.Records.Shadows(),
		classes:   max(len(p.Classes), 1),
		failsafes: 1 + len(failsafeSets(p)),
		exact:     places.room,
	}
}

// holds reports whether a bank of l has room for need. Nodes are no bank's.
func (l layout) holds(need layout) bool {
	return need.records <= l.records && need.classes <= l.classes && need.failsafes <= l.failsafes &&
		need.exact <= l.exact
}

// withHeadroom is l and a quarter more, so that a host that grows by an endpoint
// now and then stays in one generation.
func (l layout) withHeadroom() layout {
	grow := func(n int) int { return n + n/4 + 16 }
	return layout{
		grow(l.records), grow(l.classes), grow(l.failsafes), grow(l.exact),
		grow(l.nodes) + 1024, // 64 KiB: lists change more often than endpoints come
	}
}

// sameDestinations reports whether two plans' classes have the same.
func sameDestinations(a, b []policy.Class) bool {
	return slices.EqualFunc(a, b, func(x, y policy.Class) bool { return same(x.Dests, y.Dests) })
}

// same is slices.Equal, which would go through all that most revisions share.
func same(a, b []policy.Dest) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
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
