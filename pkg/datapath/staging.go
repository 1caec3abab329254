package datapath

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// staging is a revision's lists on their way in. Nothing that packets are judged
// by changes before edit, and until commit all of it can be undone.
type staging struct {
	*lists
	probe    *prober
	from, to *policy.Plan

	refs    map[*policy.Set]int   // records that came, less those that went
	order   []*policy.Set         // the sets of refs, as to names them
	pending map[*policy.Set]*list // to be in lists
	went    *policy.Set           // the union that came stands in for; nil: none does
	came    *policy.Set
	classes []destinations
	fresh   []residue     // loaded here: for undo
	edits   []edit        // of unions that stay where they are
	booked  [families]int // entries
}

// stage loads what to needs and from does not have. Where edits is false, what
// is there stays as it is whatever changes.
func (l *lists) stage(ctx context.Context, from, to *policy.Plan, probe *prober, edits bool) (*staging, error) {
	st := &staging{
		lists: l, probe: probe, from: from, to: to,
		refs:    map[*policy.Set]int{},
		pending: map[*policy.Set]*list{},
		classes: make([]destinations, len(to.Classes)),
	}
	st.count()
	if edits {
		st.findHeir()
	}
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

// findHeir finds the union that goes and the one that comes in its place, where
// that is all the revision changes. Beside another change it is not edited where
// it stands: until the flip, packets would be judged by half a revision.
func (st *staging) findHeir() {
	var old, heir *policy.Set
	one := samePlaces(st.from, st.to)
	pair := func(was, is *policy.Set) {
		if was == is {
			return
		}
		one = one && isUnion(was) && isUnion(is) && (old == nil || old == was && heir == is)
		old, heir = was, is
	}
	eachChanged(st.from, st.to, func(before, after *policy.Record) {
		if before == nil || after == nil || before.Mode != after.Mode {
			one = false
			return
		}
		was, is := recordSets(before), recordSets(after)
		for i := range was {
			pair(was[i], is[i])
		}
	})
	if one && old != nil && st.after(old) == 0 && st.sets[heir] == nil {
		st.went, st.came = old, heir
	}
}

// samePlaces reports whether two plans differ in their records at most.
func samePlaces(from, to *policy.Plan) bool {
	return from.Mode == to.Mode && from.PassMPLS == to.PassMPLS && from.Other == to.Other && from.Guard == to.Guard &&
		slices.Equal(from.TCP, to.TCP) && slices.Equal(from.UDP, to.UDP) && slices.Equal(planSets(from), planSets(to)) &&
		slices.EqualFunc(from.Classes, to.Classes, func(a, b policy.Class) bool {
			return a.Any == b.Any && a.Broadcast == b.Broadcast && slices.Equal(a.Dests, b.Dests)
		})
}

func isUnion(s *policy.Set) bool { return s != nil && s.Parts != nil }

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

// undo leaves the tries as they were.
func (st *staging) undo() error {
	errs := []error{st.flush()} // or what waits would be written with the next revision
	for i := range st.edits {
		e := &st.edits[i]
		if e.done {
			errs = append(errs, st.rewrite(e, e.removed, e.added))
		}
		e.union.change(e.out, e.in)
	}
	for _, r := range st.fresh {
		errs = append(errs, st.tries[r.family].remove(context.Background(), r.id, r.prefixes))
	}
	for family, n := range st.booked {
		st.entries[family].Add(int64(-n))
	}
	return errors.Join(errs...)
}

// commit makes the staged lists the lists, and returns what is left of those that
// nobody names any more. Packets may ask for it until the grace period is over.
func (st *staging) commit() []residue {
	var left []residue
	for _, e := range st.edits {
		st.entries[e.family].Add(int64(-len(e.removed)))
	}
	maps.Copy(st.sets, st.pending)
	for s, n := range st.refs {
		on := st.sets[s]
		if on == nil {
			continue // came and went in the same revision
		}
		if on.refs += n; on.refs == 0 {
			left = append(left, st.residues(s, on)...)
			delete(st.sets, s)
		}
	}
	for i, was := range st.lists.classes {
		for family, id := range was.ids {
			if id != 0 && (i >= len(st.classes) || st.classes[i].ids[family] != id) {
				left = append(left, residue{family, id, maps.Keys(was.prefixes[family])})
			}
		}
	}
	st.lists.classes = st.classes
	return left
}

func (st *staging) residues(s *policy.Set, on *list) []residue {
	var left []residue
	for family, word := range on.words {
		switch {
		case bpfKind(word&0xff) != bpfKindTRIE:
		case on.union[family] == nil:
			left = append(left, residue{family, uint32(word >> 32), firsts(contents(familySet(s, family)))})
		case !st.edited(family, word):
			left = append(left, residue{family, uint32(word >> 32), maps.Keys(on.union[family])})
		}
	}
	return left
}
