package datapath

import (
	"context"
	"fmt"
	"iter"
	"math"
	"net/netip"
	"sync/atomic"

	"github.com/postern-io/postern/pkg/policy"
)

// editInPlace is from how many prefixes on a union is edited where it stands. A
// smaller one is loaded anew in less time than a grace period takes.
const editInPlace = 1024

// A word says what answers for one list and family; see maps.h.
const (
	wordNobody = uint64(bpfKindNOBODY)
	wordOpen   = uint64(bpfKindOPEN)
)

func trieWord(id uint32) uint64 { return uint64(id)<<32 | uint64(bpfKindTRIE) }

// lists are the compiled lists that the tries hold. Equal sets are one pointer,
// so each is held once, for as long as a record or a failsafe names it.
type lists struct {
	tries   [families]trie
	max     int
	entries [families]atomic.Int64
	nextID  uint32 // ids are never used again
	sets    map[*policy.Set]*list
	classes []destinations // by class number
}

// list is a set as the kernel has it.
type list struct {
	refs  int
	words [families]uint64
	// union counts the prefixes of a set with parts, where words has a trie.
	union [families]union
}

// destinations are a class's prefixes as the kernel has them.
type destinations struct {
	ids      [families]uint32
	prefixes [families]map[netip.Prefix]uint32
}

// residue is entries that nobody will ask for.
type residue struct {
	family   int
	id       uint32
	prefixes iter.Seq[netip.Prefix]
}

func newLists(tries [families]trie, max int) *lists {
	return &lists{tries: tries, max: max, nextID: 1, sets: map[*policy.Set]*list{}}
}

func familySet(s *policy.Set, family int) *policy.FamilySet {
	if family == v4 {
		return &s.V4
	}
	return &s.V6
}

// clear removes entries, at a pace that packets do not notice.
func (l *lists) clear(ctx context.Context, all []residue) error {
	for _, r := range all {
		n := int64(0)
		counted := func(yield func(netip.Prefix) bool) {
			for p := range r.prefixes {
				n++
				if !yield(p) {
					return
				}
			}
		}
		if err := l.tries[r.family].remove(ctx, r.id, counted); err != nil {
			return fmt.Errorf("remove list %d: %w", r.id, err)
		}
		l.entries[r.family].Add(-n)
	}
	return nil
}

func (l *lists) flush() error {
	for _, t := range l.tries {
		if err := t.flush(); err != nil {
			return fmt.Errorf("load lists: %w", err)
		}
	}
	return nil
}

func (l *lists) newID() (uint32, error) {
	if l.nextID == math.MaxUint32 {
		return 0, fmt.Errorf("load lists: all %d list numbers of this agent are used up; restart it", uint32(math.MaxUint32))
	}
	l.nextID++
	return l.nextID - 1, nil
}

// reserve books n more entries.
func (l *lists) reserve(family, n int) error {
	l.entries[family].Add(int64(n))
	if total := l.entries[v4].Load() + l.entries[v6].Load(); total > int64(l.max) {
		return fmt.Errorf("load lists: %d prefixes, counting those being replaced, and only %d fit", total, l.max)
	}
	return nil
}

// contents are the entries of a set without parts. A deny inside an allow is the
// longer match.
func contents(f *policy.FamilySet) iter.Seq2[netip.Prefix, uint32] {
	return func(yield func(netip.Prefix, uint32) bool) {
		for _, p := range f.Allow {
			if !yield(p, 1) {
				return
			}
		}
		for _, p := range f.Deny {
			if !yield(p, 0) {
				return
			}
		}
	}
}

func constant[K, V any](keys iter.Seq[K], value V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for k := range keys {
			if !yield(k, value) {
				return
			}
		}
	}
}

func firsts[K, V any](pairs iter.Seq2[K, V]) iter.Seq[K] {
	return func(yield func(K) bool) {
		for k := range pairs {
			if !yield(k) {
				return
			}
		}
	}
}
