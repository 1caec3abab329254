package datapath

import (
	"iter"

	"github.com/postern-io/postern/pkg/policy"
)

// index is the range index of one family's lists.
type index[K end] struct {
	form   form[K]
	of     func(*policy.Set) *policy.FamilySet[K]
	nodes  *nodes
	unions map[*policy.Set]*union[K] // the large ones
}

func newIndex4(ns *nodes) *index[uint32] {
	of := func(s *policy.Set) *policy.FamilySet[uint32] { return &s.V4 }
	return &index[uint32]{form4{}, of, ns, map[*policy.Set]*union[uint32]{}}
}

func newIndex6(ns *nodes) *index[policy.U128] {
	of := func(s *policy.Set) *policy.FamilySet[policy.U128] { return &s.V6 }
	return &index[policy.U128]{form6{}, of, ns, map[*policy.Set]*union[policy.U128]{}}
}

// indexed is a list on its way into the index, where packets do not see it yet.
type indexed struct {
	word  uint64
	fresh []run // written for it
	// dropped is what it does not share with the list it comes in place of.
	dropped []run
	shares  bool
	undo    func() // of what the agent remembers; nil: nothing
	probe   func(*prober) error
}

// add writes a listed set; not ok where there is no room. old is the set it comes
// in place of, whose nodes it may share, and word where that is; or nil.
func (x *index[K]) add(s, old *policy.Set, word uint64) (indexed, bool) {
	if n := x.weight(s); n > unionFrom {
		return x.addUnion(s, n, old, word)
	}
	first, ends := x.ends(s)
	if x.canShare(old, word, ends) {
		r := rootOf(word)
		wasFirst, was := x.ends(old)
		r.first = first
		return x.addRoot(r, &r, differing(segments[K]{x.form, r, wasFirst, was}, segments[K]{x.form, r, first, ends}))
	}
	if len(ends) <= rootFrom {
		return x.addTree(first, ends)
	}
	r := rootFor(x.form, first, ends)
	return x.addRoot(r, nil, segments[K]{x.form, r, first, ends}.all())
}

// canShare reports whether a list can come as changes to the root of another.
func (x *index[K]) canShare(old *policy.Set, word uint64, ends []K) bool {
	return old != nil && kindOf(word) == bpfKindROOT && x.unions[old] == nil &&
		len(ends) > rootFrom && rootOf(word).suits(len(ends), x.form.left(ends[0]), x.form.left(ends[len(ends)-1]))
}

// ends are those of a set; a union of few is put together anew each time.
func (x *index[K]) ends(s *policy.Set) (bool, []K) {
	if s.Parts == nil {
		return x.of(s).First, x.of(s).Ends
	}
	return gather(x.form, x.parts(s.Parts)).flat()
}

func (x *index[K]) addTree(first bool, ends []K) (indexed, bool) {
	tree, ok := pack(x.nodes, x.form, first, ends)
	if !ok {
		return indexed{}, false
	}
	word := tree.word()
	probe := func(p *prober) error { return probeEnds(p, x.form, word, first, ends) }
	return indexed{word: word, fresh: x.nodes.appendRun(nil, tree), probe: probe}, true
}

// addRoot writes a root with the segments given, and else what was there.
func (x *index[K]) addRoot(r root, was *root, changed iter.Seq2[int, segment[K]]) (indexed, bool) {
	table, ok := x.nodes.take(r.slots() / slotsPerNode)
	if !ok {
		return indexed{}, false
	}
	in := indexed{fresh: []run{table}, shares: was != nil}
	slots := x.nodes.at(table)
	if was != nil {
		copy(slots, x.nodes.at(was.run()))
		in.dropped = []run{was.run()}
	}
	for i, seg := range changed {
		slot := slotIn(slots, i)
		if was != nil {
			in.dropped = x.nodes.appendRun(in.dropped, ref(*slot))
		}
		tree, ok := pack(x.nodes, x.form, seg.first, seg.ends)
		if !ok {
			x.nodes.give(in.fresh)
			return indexed{}, false
		}
		in.fresh = x.nodes.appendRun(in.fresh, tree)
		*slot = uint32(tree)
	}
	r.at = table.at
	in.word = r.word()
	in.probe = func(p *prober) error { return probeSegments(p, x.form, r, changed) }
	return in, true
}

// addUnion writes a large union: what differs, where it comes in place of one.
func (x *index[K]) addUnion(s *policy.Set, weight int, old *policy.Set, word uint64) (indexed, bool) {
	u := x.unions[old]
	if u == nil {
		return x.newUnion(s)
	}
	came, went := differentParts(old.Parts, s.Parts)
	in, out := x.parts(came), x.parts(went)
	if !u.holds(in) || weigh(in)+weigh(out) > weight/8 {
		return x.newUnion(s)
	}
	touched := u.change(in, out)
	was := rootOf(word)
	added, ok := x.addRoot(u.root(), &was, u.changed(touched))
	if !ok {
		u.change(out, in)
		return added, false
	}
	x.unions[s] = u
	added.undo = func() {
		u.change(out, in)
		delete(x.unions, s)
	}
	return added, true
}

func (x *index[K]) newUnion(s *policy.Set) (indexed, bool) {
	all := gather(x.form, x.parts(s.Parts))
	if len(all.bounds) == 0 { // the parts make up for each other
		return x.addTree(all.first > 0, nil)
	}
	u := newUnion(x.form, all)
	added, ok := x.addRoot(u.root(), nil, u.all())
	if ok {
		x.unions[s] = u
		added.undo = func() { delete(x.unions, s) }
	}
	return added, ok
}

// runs are all the nodes of a list.
func (x *index[K]) runs(word uint64) []run {
	switch kindOf(word) {
	case bpfKindLINE, bpfKindTREE:
		return x.nodes.appendRun(nil, ref(word>>32))
	case bpfKindROOT:
		r := rootOf(word)
		runs := []run{r.run()}
		for i := range r.slots() {
			runs = x.nodes.appendRun(runs, ref(*slotIn(x.nodes.at(r.run()), i)))
		}
		return runs
	}
	return nil
}

// forget lets go of a set that nobody names any more.
func (x *index[K]) forget(s *policy.Set) { delete(x.unions, s) }

// weight is how many ends the parts of a union have.
func (x *index[K]) weight(s *policy.Set) int {
	n := 0
	for _, part := range s.Parts {
		n += len(x.of(part).Ends)
	}
	return n
}

func weigh[K end](parts []*policy.FamilySet[K]) int {
	n := 0
	for _, part := range parts {
		n += len(part.Ends)
	}
	return n
}

// width is how many ends of a union fit a node at least.
func (x *index[K]) width(s *policy.Set) int {
	per, _ := x.form.per(nil)
	for _, part := range s.Parts {
		n, _ := x.form.per(x.of(part).Ends)
		per = min(per, n)
	}
	return per
}

func (x *index[K]) parts(sets []*policy.Set) []*policy.FamilySet[K] {
	parts := make([]*policy.FamilySet[K], len(sets))
	for i, s := range sets {
		parts[i] = x.of(s)
	}
	return parts
}

func (x *index[K]) kind(s *policy.Set) policy.Kind { return x.of(s).Kind }

func (x *index[K]) entries(s *policy.Set) []entry {
	first, ends := x.ends(s)
	return encode(x.form, first, ends)
}

// room is for a union an upper bound: as if nothing in its parts overlapped.
func (x *index[K]) room(s *policy.Set) int {
	if x.of(s).Kind != policy.KindListed {
		return 0
	}
	if n := x.weight(s); n > unionFrom {
		per, slots := x.width(s), 1<<rootBits(n)
		return roundUp(slots/slotsPerNode) + min(n, slots) + n/per*5/4
	}
	first, ends := x.ends(s)
	if len(ends) <= rootFrom {
		return roundUp(treeNodes(x.form, ends))
	}
	r := rootFor(x.form, first, ends)
	n := roundUp(r.slots() / slotsPerNode)
	for _, seg := range (segments[K]{x.form, r, first, ends}).all() {
		n += roundUp(treeNodes(x.form, seg.ends))
	}
	return n
}
