package datapath

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
)

// edit is a change to a list that packets are judged by.
type edit struct {
	family         int
	word           uint64
	union          union
	in, out        []netip.Prefix // as the parts have them
	added, removed []netip.Prefix // what that comes to
	done           bool
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

func (st *staging) edited(family int, word uint64) bool {
	return slices.ContainsFunc(st.edits, func(e edit) bool { return e.family == family && e.word == word })
}
