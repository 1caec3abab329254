package datapath

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"

	"github.com/postern-io/postern/pkg/policy"
)

// errNoRoom means that the nodes of a generation are full.
var errNoRoom = errors.New("load lists: the index is full")

func (st *staging) loadAll(ctx context.Context) error {
	for _, s := range st.order {
		if err := ctx.Err(); err != nil {
			return err
		}
		if st.sets[s] != nil || st.after(s) == 0 {
			continue
		}
		on := &list{}
		for family := range families {
			var err error
			if on.words[family], err = st.load(s, family); err != nil {
				return err
			}
		}
		st.pending[s] = on
	}
	for i := range st.to.Classes {
		if err := st.loadClass(i); err != nil {
			return err
		}
	}
	return st.flush()
}

// load writes a set where packets do not see it yet, and returns its word.
func (st *staging) load(s *policy.Set, family int) (uint64, error) {
	index := st.index[family]
	switch index.kind(s) {
	case policy.KindOpen:
		return wordOpen, nil
	case policy.KindNobody:
		return wordNobody, nil
	}
	old, word := st.predecessor(s, family)
	added, ok := index.add(s, old, word)
	switch {
	case ok:
		st.added = append(st.added, added)
		if added.shares {
			st.shared[familyOfSet{old, family}] = true
		}
		return added.word, nil
	case !st.toTries:
		return 0, errNoRoom
	}
	id, err := st.put(family, index.entries(s))
	st.toProbe = append(st.toProbe, familyOfSet{s, family})
	return trieWord(id), err
}

// put loads entries under an id of their own.
func (st *staging) put(family int, entries []entry) (uint32, error) {
	id, err := st.newID()
	if err != nil {
		return 0, err
	}
	st.booked[family] += len(entries)
	if err := st.reserve(family, len(entries)); err != nil {
		return 0, err
	}
	st.fresh = append(st.fresh, residue{family, id, prefixesOf(entries)})
	for _, e := range entries {
		if err := st.family[family].put(id, e.prefix, e.value); err != nil {
			return 0, fmt.Errorf("load lists: %w", err)
		}
	}
	return id, nil
}

func prefixesOf(entries []entry) iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for _, e := range entries {
			if !yield(e.prefix) {
				return
			}
		}
	}
}

func (st *staging) loadClass(i int) error {
	dests := st.to.Classes[i].Dests
	if i < len(st.from.Classes) && same(st.from.Classes[i].Dests, dests) {
		st.classes[i] = st.lists.classes[i]
		return nil
	}
	on := &st.classes[i]
	on.prefixes = st.places.classes[i].prefixes
	for family, prefixes := range on.prefixes {
		if len(prefixes) == 0 {
			continue
		}
		entries := make([]entry, 0, len(prefixes))
		for p, record := range prefixes {
			entries = append(entries, entry{p, record})
		}
		var err error
		if on.ids[family], err = st.put(family, entries); err != nil {
			return err
		}
	}
	return nil
}
