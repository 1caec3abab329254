package datapath

import (
	"context"
	"errors"

	"github.com/postern-io/postern/pkg/policy"
)

// staging is a revision's lists on their way in. No packet sees any of it before
// the flip, and until commit all of it can be undone.
type staging struct {
	*lists
	probe    *prober
	from, to *policy.Plan
	places   *places // of to
	// toTries: what finds no room in the index goes there, and not to a larger
	// generation.
	toTries bool

	refs    map[*policy.Set]int   // records that came, less those that went
	order   []*policy.Set         // the sets of refs, as to names them
	pending map[*policy.Set]*list // to be in lists
	// heirs are the sets that come in the place of one that goes.
	heirs   map[*policy.Set]*policy.Set
	classes []destinations

	added   []indexed
	shared  map[familyOfSet]bool // lists that go, but some of whose nodes stay
	toProbe []familyOfSet        // came, to the tries
	fresh   []residue            // loaded here: for undo
	booked  [families]int        // entries
}

// familyOfSet is a set in one family.
type familyOfSet struct {
	set    *policy.Set
	family int
}

// stage loads what to needs and from does not have.
func (l *lists) stage(ctx context.Context, from, to *policy.Plan, places *places, probe *prober, toTries bool) (*staging, error) {
	st := &staging{
		lists: l, probe: probe, from: from, to: to, places: places, toTries: toTries,
		refs:    map[*policy.Set]int{},
		pending: map[*policy.Set]*list{},
		heirs:   map[*policy.Set]*policy.Set{},
		classes: make([]destinations, len(to.Classes)),
		shared:  map[familyOfSet]bool{},
	}
	st.count()
	st.findHeirs()
	err := st.loadAll(ctx)
	if err == nil {
		err = st.probeAll()
	}
	if err != nil {
		return nil, errors.Join(err, st.undo())
	}
	return st, nil
}

// count finds how many more records and failsafes name each set.
func (st *staging) count() {
	add := func(s *policy.Set, n int) {
		if s == nil {
			return
		}
		if _, seen := st.refs[s]; !seen {
			st.order = append(st.order, s)
		}
		st.refs[s] += n
	}
	eachChanged(st.from, st.to, func(before, after *policy.Record) {
		for _, s := range recordSets(after) {
			add(s, 1)
		}
		for _, s := range recordSets(before) {
			add(s, -1)
		}
	})
	for _, s := range planSets(st.to) {
		add(s, 1)
	}
	for _, s := range planSets(st.from) {
		add(s, -1)
	}
}

func recordSets(r *policy.Record) []*policy.Set {
	if r == nil {
		return nil
	}
	return []*policy.Set{r.Own, r.Tenant, r.ShadowOwn, r.ShadowTenant}
}

func planSets(p *policy.Plan) []*policy.Set {
	return append(failsafeSets(p), p.Tunnels, p.FailsafeAny)
}

// after is how often a set will be named.
func (st *staging) after(s *policy.Set) int {
	n := st.refs[s]
	if has := st.sets[s]; has != nil {
		n += has.refs
	}
	return n
}

// findHeirs finds who comes in a record where another goes for good. Each has one
// heir at most: it takes over what the two have in common.
func (st *staging) findHeirs() {
	taken := map[*policy.Set]bool{}
	pair := func(old, heir *policy.Set) {
		if old == nil || heir == nil || taken[old] || st.heirs[heir] != nil {
			return
		}
		if st.sets[heir] == nil && st.sets[old] != nil && st.after(old) == 0 {
			st.heirs[heir], taken[old] = old, true
		}
	}
	eachChanged(st.from, st.to, func(before, after *policy.Record) {
		if before == nil || after == nil {
			return
		}
		was, is := recordSets(before), recordSets(after)
		for i := range was {
			pair(was[i], is[i])
		}
	})
}

// predecessor is whom a set is the heir of, and its word; nil: nobody.
func (st *staging) predecessor(s *policy.Set, family int) (*policy.Set, uint64) {
	old := st.heirs[s]
	if old == nil {
		return nil, 0
	}
	return old, st.sets[old].words[family]
}

// words are what the kernel asks a set by. Nobody is in no set.
func (st *staging) words(s *policy.Set) [families]uint64 {
	if on := st.pending[s]; on != nil {
		return on.words
	}
	if on := st.sets[s]; on != nil {
		return on.words
	}
	return [families]uint64{wordNobody, wordNobody}
}

// undo leaves index and tries as they were.
func (st *staging) undo() error {
	for _, in := range st.added {
		st.nodes.give(in.fresh)
		if in.undo != nil {
			in.undo()
		}
	}
	errs := []error{st.flush()} // or what waits would be written with the next revision
	for _, r := range st.fresh {
		errs = append(errs, st.family[r.family].remove(context.Background(), r.id, r.prefixes))
	}
	for family, n := range st.booked {
		st.entries[family].Add(int64(-n))
	}
	return errors.Join(errs...)
}

// leftovers are what nobody names any more. Packets may ask for it until the
// grace period is over.
type leftovers struct {
	nodes   []run
	entries []residue
}

// commit makes the staged lists the lists.
func (st *staging) commit() leftovers {
	var left leftovers
	for _, in := range st.added {
		left.nodes = append(left.nodes, in.dropped...)
	}
	for s, on := range st.pending {
		st.sets[s] = on
		st.inTries += int(delta(on.inTries()))
	}
	for s, n := range st.refs {
		on := st.sets[s]
		if on == nil {
			continue // came and went in the same revision
		}
		if on.refs += n; on.refs == 0 {
			st.drop(s, on, &left)
		}
	}
	for i, was := range st.lists.classes {
		for family, id := range was.ids {
			if id != 0 && (i >= len(st.classes) || st.classes[i].ids[family] != id) {
				left.entries = append(left.entries, was.residue(family))
			}
		}
	}
	st.lists.classes, st.lists.places = st.classes, st.places
	return left
}

func (st *staging) drop(s *policy.Set, on *list, left *leftovers) {
	for family, word := range on.words {
		if !st.shared[familyOfSet{s, family}] {
			left.nodes = append(left.nodes, st.index[family].runs(word)...)
		}
		st.index[family].forget(s)
	}
	left.entries = append(left.entries, st.residues(s, on)...)
	st.inTries -= int(delta(on.inTries()))
	delete(st.sets, s)
}
