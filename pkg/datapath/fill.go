package datapath

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

func (st *staging) loadAll(ctx context.Context) error {
	for _, s := range st.order {
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
	old := st.went
	if s != st.came || st.sets[old].union[family] == nil {
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
