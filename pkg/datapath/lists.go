package datapath

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/netip"
	"sync/atomic"

	"github.com/cilium/ebpf"

	"github.com/postern-io/postern/pkg/policy"
)

// A word says what answers for one list and family; see maps.h.
const (
	wordNobody = uint64(bpfKindNOBODY)
	wordOpen   = uint64(bpfKindOPEN)
)

func kindOf(word uint64) bpfKind { return bpfKind(word & 0xff) }

func trieWord(id uint32) uint64 { return uint64(id)<<32 | uint64(bpfKindTRIE) }

// lists are the compiled lists of a generation. Equal sets are one pointer, so
// each is held once, for as long as a record or a failsafe names it.
type lists struct {
	*tries
	nodes   *nodes
	index   [families]lister
	sets    map[*policy.Set]*list
	inTries int            // of the sets
	places  *places        // in both banks
	classes []destinations // by class number
}

// lister is an index, of whichever family.
type lister interface {
	kind(s *policy.Set) policy.Kind
	add(s, old *policy.Set, word uint64) (indexed, bool)
	runs(word uint64) []run
	forget(s *policy.Set)
	// room is how many nodes a set takes at most.
	room(s *policy.Set) int
	// entries are a set as the trie has it.
	entries(s *policy.Set) []entry
	// probe asks for a set by any word that stands for it.
	probe(p *prober, s *policy.Set, word uint64) error
}

// list is a set as the kernel has it.
type list struct {
	refs  int
	words [families]uint64
}

// destinations are a class's prefixes as the kernel has them.
type destinations struct {
	ids      [families]uint32
	prefixes [families]map[netip.Prefix]uint32
}

func newLists(t *tries, mem []bpfNode) *lists {
	ns := newNodes(mem)
	return &lists{
		tries: t, nodes: ns,
		index: [families]lister{newIndex4(ns), newIndex6(ns)},
		sets:  map[*policy.Set]*list{},
	}
}

// tries hold the lists that have no index, and the destinations that are
// prefixes, for all generations of an agent.
type tries struct {
	family  [families]trie
	max     int
	entries [families]atomic.Int64
	nextID  uint32 // ids are never used again
}

func (on *list) inTries() bool {
	return kindOf(on.words[v4]) == bpfKindTRIE || kindOf(on.words[v6]) == bpfKindTRIE
}

// residue is entries that nobody will ask for.
type residue struct {
	family   int
	id       uint32
	prefixes iter.Seq[netip.Prefix]
}

// residues are what a set has in the tries.
func (l *lists) residues(s *policy.Set, on *list) []residue {
	var left []residue
	for family, word := range on.words {
		if kindOf(word) == bpfKindTRIE {
			left = append(left, residue{family, uint32(word >> 32), l.inTrie(family, s)})
		}
	}
	return left
}

// inTrie works out what a trie has of a set when it is asked for.
func (l *lists) inTrie(family int, s *policy.Set) iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) { prefixesOf(l.index[family].entries(s))(yield) }
}

func (d destinations) residue(family int) residue {
	return residue{family, d.ids[family], maps.Keys(d.prefixes[family])}
}

// all is everything the lists have in the tries.
func (l *lists) all() []residue {
	var left []residue
	for s, on := range l.sets {
		left = append(left, l.residues(s, on)...)
	}
	for _, d := range l.classes {
		for family, id := range d.ids {
			if id != 0 {
				left = append(left, d.residue(family))
			}
		}
	}
	return left
}

func newTries(lists4, lists6 *ebpf.Map, max int) *tries {
	return &tries{max: max, family: [families]trie{
		&keyedTrie[bpfKey4]{m: lists4, key: key4},
		&keyedTrie[bpfKey6]{m: lists6, key: key6},
	}}
}

// clear removes entries, at a pace that packets do not notice.
func (t *tries) clear(ctx context.Context, all []residue) error {
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
		if err := t.family[r.family].remove(ctx, r.id, counted); err != nil {
			return fmt.Errorf("remove list %d: %w", r.id, err)
		}
		t.entries[r.family].Add(-n)
	}
	return nil
}

func (t *tries) flush() error {
	for _, family := range t.family {
		if err := family.flush(); err != nil {
			return fmt.Errorf("load lists: %w", err)
		}
	}
	return nil
}

func (t *tries) newID() (uint32, error) {
	if t.nextID == math.MaxUint32 {
		return 0, fmt.Errorf("load lists: all %d list numbers of this agent are used up; restart it", uint32(math.MaxUint32))
	}
	t.nextID++
	return t.nextID, nil
}

// reserve books n more entries.
func (t *tries) reserve(family, n int) error {
	t.entries[family].Add(int64(n))
	if total := t.entries[v4].Load() + t.entries[v6].Load(); total > int64(t.max) {
		return fmt.Errorf("load lists: %w: %d prefixes, counting those being replaced, and only %d fit", policy.ErrNoRoom, total, t.max)
	}
	return nil
}
