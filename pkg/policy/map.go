package policy

import (
	"iter"
	"slices"
	"strings"
)

// Map holds values by name and never changes. An edit makes another Map, which
// shares with this one all but the few hundred bytes around what was edited; two
// of them are therefore compared at the cost of their difference, at 90,000 names
// as at three. It is a trie over the names' hashes. The zero Map is empty.
//
// Values are told apart by their pointers, and must not change either. Nil is no
// value: Get returns it for a name that has none.
type Map[T any] struct {
	root *node[T]
	size int
}

// Change is a name whose value is another; nil is none.
type Change[T any] struct {
	Name          string
	Before, After *T
}

const (
	digit = 4 // bits of the hash that a branch goes by
	fan   = 1 << digit
	crowd = 32         // more items than that branch
	deep  = 64 / digit // branches there can be, one behind another
)

// node is a branch, or a leaf with its items in no order; nil is empty.
type node[T any] struct {
	kids  *[fan]*node[T]
	items []item[T]
}

type item[T any] struct {
	name  string
	hash  uint64
	value *T
}

// MapOf is the Map of these values.
func MapOf[T any](values map[string]*T) Map[T] { return Map[T]{}.Edit(values) }

// Len is how many names have a value.
func (m Map[T]) Len() int { return m.size }

// Get is the value of a name.
func (m Map[T]) Get(name string) *T {
	return m.root.get(name, hashOf(name), 0)
}

// get finds a value beneath n, which lies as deep as depth.
func (n *node[T]) get(name string, hash uint64, depth int) *T {
	for rest := hash >> (depth * digit); n != nil && n.kids != nil; rest >>= digit {
		n = n.kids[rest%fan]
	}
	if n == nil {
		return nil
	}
	for i := range n.items {
		if it := &n.items[i]; it.hash == hash && it.name == name {
			return it.value
		}
	}
	return nil
}

// All are the names and their values, in an order of the Map's own.
func (m Map[T]) All() iter.Seq2[string, *T] {
	return func(yield func(string, *T) bool) {
		m.root.each(func(it *item[T]) bool { return yield(it.name, it.value) })
	}
}

func (n *node[T]) each(yield func(*item[T]) bool) bool {
	if n == nil {
		return true
	}
	for i := range n.items {
		if !yield(&n.items[i]) {
			return false
		}
	}
	if n.kids != nil {
		for _, kid := range n.kids {
			if !kid.each(yield) {
				return false
			}
		}
	}
	return true
}

// Sorted are the names in their order, and their values.
func (m Map[T]) Sorted() iter.Seq2[string, *T] {
	return func(yield func(string, *T) bool) {
		for _, it := range slices.SortedFunc(m.items(), func(a, b *item[T]) int { return strings.Compare(a.name, b.name) }) {
			if !yield(it.name, it.value) {
				return
			}
		}
	}
}

func (m Map[T]) items() iter.Seq[*item[T]] {
	return func(yield func(*item[T]) bool) { m.root.each(yield) }
}

// With is m with another value for one name, or with nil without it.
func (m Map[T]) With(name string, value *T) Map[T] { return m.Edit(map[string]*T{name: value}) }

// Edit is m with other values for some names, and without those whose value is
// nil.
func (m Map[T]) Edit(values map[string]*T) Map[T] {
	edits := make([]item[T], 0, len(values))
	for name, value := range values {
		if was := m.Get(name); was != value {
			m.size += one(value) - one(was)
			edits = append(edits, item[T]{name, hashOf(name), value})
		}
	}
	m.root = m.root.edit(edits, 0)
	return m
}

func one[T any](value *T) int {
	if value == nil {
		return 0
	}
	return 1
}

func (n *node[T]) edit(edits []item[T], depth int) *node[T] {
	if len(edits) == 0 {
		return n
	}
	if n == nil {
		n = &node[T]{}
	}
	if n.kids != nil {
		return n.branch(edits, depth)
	}
	items := make([]item[T], 0, len(n.items)+len(edits))
	for _, it := range n.items {
		if !slices.ContainsFunc(edits, func(e item[T]) bool { return e.name == it.name }) {
			items = append(items, it)
		}
	}
	for _, e := range edits {
		if e.value != nil {
			items = append(items, e)
		}
	}
	switch {
	case len(items) == 0:
		return nil
	case len(items) <= crowd || depth == deep:
		return &node[T]{items: items}
	}
	return (&node[T]{kids: &[fan]*node[T]{}}).branch(items, depth)
}

// branch hands each edit to the kid it is for.
func (n *node[T]) branch(edits []item[T], depth int) *node[T] {
	var by [fan][]item[T]
	for _, e := range edits {
		d := e.hash >> (depth * digit) % fan
		by[d] = append(by[d], e)
	}
	kids := *n.kids
	for d := range kids {
		kids[d] = kids[d].edit(by[d], depth+1)
	}
	return &node[T]{kids: &kids}
}

// Since are the names whose values differ from those before, in no order.
func (m Map[T]) Since(before Map[T]) iter.Seq[Change[T]] {
	return func(yield func(Change[T]) bool) { changes(before.root, m.root, 0, yield) }
}

func changes[T any](before, after *node[T], depth int, yield func(Change[T]) bool) bool {
	switch {
	case before == after:
		return true
	case before != nil && after != nil && before.kids != nil && after.kids != nil:
		for d := range before.kids {
			if !changes(before.kids[d], after.kids[d], depth+1, yield) {
				return false
			}
		}
		return true
	}
	return before.each(func(it *item[T]) bool {
		is := after.get(it.name, it.hash, depth)
		return is == it.value || yield(Change[T]{it.name, it.value, is})
	}) && after.each(func(it *item[T]) bool {
		return before.get(it.name, it.hash, depth) != nil || yield(Change[T]{it.name, nil, it.value})
	})
}

// hashOf is FNV-1a, its halves folded: the digits are taken from below. A seeded
// hash would order each Map otherwise, and no two could be compared.
func hashOf(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h ^ h>>32
}
