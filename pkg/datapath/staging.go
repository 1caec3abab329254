package datapath

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/netip"
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
	pending map[*policy.Set]*list // to be in lists
	heirs   map[*policy.Set]*policy.Set
	classes []destinations
	fresh   []residue     // loaded here: for undo
	edits   []edit        // of unions that stay where they are
	booked  [families]int // entries
}

// edit is a change to a list that packets are judged by.
type edit struct {
	family         int
	word           uint64
	union          union
	in, out        []netip.Prefix // as the parts have them
	added, removed []netip.Prefix // what that comes to
	done           bool
}

// stage loads what to needs and from does not have. Where edits is false, what
// is there stays as it is whatever changes.
func (l *lists) stage(ctx context.Context, from, to *policy.Plan, probe *prober, edits bool) (*staging, error) {
	st := &staging{
		lists: l, probe: probe, from: from, to: to,
		refs:    map[*policy.Set]int{},
		pending: map[*policy.Set]*list{},
		heirs:   map[*policy.Set]*policy.Set{},
		classes: make([]destinations, len(to.Classes)),
	}
	order := st.count()
	if edits {
		st.findHeirs()
	}
	err := st.loadAll(ctx, order)
	if err == nil {
		err = st.probeAll()
	}
	if err != nil {
		return nil, errors.Join(err, st.undo())
	}
	return st, nil
}

// count finds how many more records and failsafes name each set, and returns the
// sets to's have, in order.
func (st *staging) count() []*policy.Set {
	var order []*policy.Set
	add := func(s *policy.Set, n int) {
		if s == nil {
			return
		}
		if _, seen := st.refs[s]; !seen {
			order = append(order, s)
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
	return order
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

// findHeirs pairs the unions that go with those that come in their place.
func (st *staging) findHeirs() {
	taken := map[*policy.Set]bool{}
	eachChanged(st.from, st.to, func(before, after *policy.Record) {
		was, is := recordSets(before), recordSets(after)
		for i := range min(len(was), len(is)) {
			old, s := was[i], is[i]
			if old == s || !isUnion(old) || !isUnion(s) || taken[old] || st.heirs[s] != nil {
				continue
			}
			if st.after(old) == 0 && st.sets[s] == nil {
				st.heirs[s], taken[old] = old, true
			}
		}
	})
}

func isUnion(s *policy.Set) bool { return s != nil && s.Parts != nil }

func (st *staging) loadAll(ctx context.Context, order []*policy.Set) error {
	for _, s := range order {
		if err := ctx.Err(); err != nil {
			return err
		}
		if st.sets[s] != nil || st.after(s) == 0 {
			continue
		}
		st.pending[s] = &list{}
		for family := range families {
			if err := st.load(s, family); err != nil {
				return err
			}
		}
	}
	for i := range st.to.Classes {
		if err := st.loadClass(i); err != nil {
			return err
		}
	}
	return st.flush()
}

func (st *staging) load(s *policy.Set, family int) error {
	f := familySet(s, family)
	on := st.pending[s]
	switch {
	case f.Kind == policy.KindOpen:
		on.words[family] = wordOpen
	case f.Kind != policy.KindListed:
		on.words[family] = wordNobody
	case s.Parts != nil:
		return st.loadUnion(s, family)
	default:
		id, err := st.put(family, len(f.Allow)+len(f.Deny), contents(f))
		on.words[family] = trieWord(id)
		return err
	}
	return nil
}

// put loads a list under an id of its own.
func (st *staging) put(family, n int, entries iter.Seq2[netip.Prefix, uint32]) (uint32, error) {
	id, err := st.newID()
	if err != nil {
		return 0, err
	}
	if err := st.book(family, n); err != nil {
		return 0, err
	}
	st.fresh = append(st.fresh, residue{family, id, firsts(entries)})
	for p, value := range entries {
		if err := st.tries[family].put(id, p, value); err != nil {
			return 0, fmt.Errorf("load lists: %w", err)
		}
	}
	return id, nil
}

func (st *staging) book(family, n int) error {
	st.booked[family] += n
	return st.reserve(family, n)
}

func (st *staging) loadUnion(s *policy.Set, family int) error {
	on := st.pending[s]
	u, err := st.inherit(s, family)
	if err != nil || on.words[family] != wordNobody {
		return err
	}
	if u == nil {
		u = union{}
		for _, part := range s.Parts {
			u.change(partPrefixes(part, family), nil)
		}
	}
	on.union[family] = u
	id, err := st.put(family, len(u), constant(maps.Keys(u), uint32(1)))
	on.words[family] = trieWord(id)
	return err
}

// inherit takes over the union that s replaces, where there is one: as it stands,
// to be edited, or as a copy to load, by what differs between the two.
func (st *staging) inherit(s *policy.Set, family int) (union, error) {
	old := st.heirs[s]
	if old == nil || st.sets[old].union[family] == nil {
		return nil, nil
	}
	on, was := st.pending[s], st.sets[old]
	in, out := differentParts(old.Parts, s.Parts)
	e := edit{family: family, word: was.words[family], union: was.union[family]}
	for _, part := range in {
		e.in = append(e.in, partPrefixes(part, family)...)
	}
	for _, part := range out {
		e.out = append(e.out, partPrefixes(part, family)...)
	}
	e.added, e.removed = e.union.change(e.in, e.out)
	if len(e.union) < editInPlace || !e.union.oneWay(e.added, e.removed) {
		u := maps.Clone(e.union)
		e.union.change(e.out, e.in)
		return u, nil
	}
	st.edits = append(st.edits, e)
	on.union[family], on.words[family] = e.union, e.word
	return nil, st.book(family, len(e.added))
}

func (st *staging) loadClass(i int) error {
	dests := st.to.Classes[i].Dests
	if i < len(st.from.Classes) && slices.Equal(st.from.Classes[i].Dests, dests) {
		st.classes[i] = st.lists.classes[i]
		return nil
	}
	on := &st.classes[i]
	on.prefixes = place(dests).prefixes
	for family, prefixes := range on.prefixes {
		if len(prefixes) == 0 {
			continue
		}
		var err error
		if on.ids[family], err = st.put(family, len(prefixes), maps.All(prefixes)); err != nil {
			return err
		}
	}
	return nil
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

// edit changes the unions that stay where they are, last of all that can fail.
func (st *staging) edit() error {
	for i := range st.edits {
		e := &st.edits[i]
		e.done = true
		if err := st.rewrite(e, e.added, e.removed); err != nil {
			return fmt.Errorf("edit list %d: %w", e.word>>32, err)
		}
		want := func(a netip.Addr) uint32 { return min(longest(e.union, a), 1) }
		for _, ps := range [][]netip.Prefix{e.added, e.removed} {
			if err := st.probe.edges(e.word, ps, want); err != nil {
				return err
			}
		}
	}
	return st.probe.flush()
}

// rewrite inserts before it deletes: in between, the list holds both and never
// less than either.
func (st *staging) rewrite(e *edit, added, removed []netip.Prefix) error {
	t, id := st.tries[e.family], uint32(e.word>>32)
	for _, p := range added {
		if err := t.put(id, p, 1); err != nil {
			return err
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	return t.remove(context.Background(), id, slices.Values(removed))
}

// undo leaves the tries as they were.
func (st *staging) undo() error {
	var errs []error
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

func (st *staging) edited(family int, word uint64) bool {
	return slices.ContainsFunc(st.edits, func(e edit) bool { return e.family == family && e.word == word })
}
