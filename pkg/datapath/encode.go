package datapath

import (
	"net/netip"
	"sort"
)

// entry is a prefix in a trie, and its value: the longest match says.
type entry struct {
	prefix netip.Prefix
	value  uint32
}

// encode is a list as the fewest entries of a trie in which what matches nothing
// is refused. An address cut out of a prefix is one entry of 0, where what is left
// of the prefix would be up to 127 of 1.
func encode[K end](f form[K], first bool, ends []K) []entry {
	var zero K
	e := encoder[K]{form: f}
	e.weigh(zero, 0, segment[K]{first, ends})
	e.emit(0)
	return e.entries
}

// encoder goes over the prefixes that hold an end twice: to weigh them, and to
// write down what weighs least.
type encoder[K end] struct {
	form    form[K]
	blocks  []block[K] // each before its halves
	next    int
	entries []entry
}

// block is a prefix. keep is how many entries its halves take where no entry of
// its own turns what holds around it, which is 0 or 1.
type block[K end] struct {
	start K
	bits  int
	split bool
	keep  [2]int
}

// weigh appends a block with all inside it, and returns how many entries it takes
// where 0 or 1 holds around it.
func (e *encoder[K]) weigh(start K, bits int, seg segment[K]) [2]int {
	b := block[K]{start: start, bits: bits, split: len(seg.ends) > 0}
	at := len(e.blocks)
	e.blocks = append(e.blocks, b)
	if b.split {
		middle := e.form.middle(start, bits)
		low, high := e.halve(middle, seg)
		l, h := e.weigh(start, bits+1, low), e.weigh(middle, bits+1, high)
		b.keep = [2]int{l[0] + h[0], l[1] + h[1]}
	} else {
		b.keep[1-delta(seg.first)] = 2 // more than an entry of its own
	}
	e.blocks[at] = b
	return [2]int{min(b.keep[0], 1+b.keep[1]), min(b.keep[1], 1+b.keep[0])}
}

// halve cuts ends in two. One that is the last address of the lower half turns
// nothing there.
func (e *encoder[K]) halve(middle K, seg segment[K]) (low, high segment[K]) {
	n := sort.Search(len(seg.ends), func(i int) bool { return e.form.compare(seg.ends[i], middle) >= 0 })
	low, high = segment[K]{seg.first, seg.ends[:n]}, segment[K]{seg.first != (n%2 == 1), seg.ends[n:]}
	if n > 0 && e.form.next(seg.ends[n-1]) == middle {
		low.ends = low.ends[:n-1]
	}
	return low, high
}

// emit writes the next block down, where value holds around it.
func (e *encoder[K]) emit(value uint32) {
	b := e.blocks[e.next]
	e.next++
	if turned := 1 - value; 1+b.keep[turned] < b.keep[value] {
		e.entries = append(e.entries, entry{netip.PrefixFrom(e.form.addr(b.start), b.bits), turned})
		value = turned
	}
	if b.split {
		e.emit(value)
		e.emit(value)
	}
}
