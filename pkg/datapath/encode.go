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
	e.emit(zero, 0, 0)
	return e.entries
}

// encoder goes over the prefixes that hold an end twice: to weigh them, and to
// write down what weighs least.
type encoder[K end] struct {
	form    form[K]
	blocks  []block // each before its halves: a byte, for there are many
	next    int
	entries []entry
}

// block is what is done about a prefix: whether it has an entry of its own, which
// turns what holds around it, where that is 0 or 1; and whether it is halved.
type block uint8

const (
	turn0 block = 1 << iota
	turn1
	halved
)

// weigh appends a block with all inside it, and returns how many entries it takes
// where 0 or 1 holds around it.
func (e *encoder[K]) weigh(start K, bits int, seg segment[K]) [2]int {
	at := len(e.blocks)
	e.blocks = append(e.blocks, 0)
	var b block
	var keep [2]int // without an entry of its own
	if len(seg.ends) > 0 {
		b = halved
		middle := e.form.middle(start, bits)
		low, high := e.halve(middle, seg)
		l, h := e.weigh(start, bits+1, low), e.weigh(middle, bits+1, high)
		keep = [2]int{l[0] + h[0], l[1] + h[1]}
	} else {
		keep[1-delta(seg.first)] = 2 // more than with one
	}
	cost := keep
	if 1+keep[1] < keep[0] {
		cost[0], b = 1+keep[1], b|turn0
	}
	if 1+keep[0] < keep[1] {
		cost[1], b = 1+keep[0], b|turn1
	}
	e.blocks[at] = b
	return cost
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

// emit writes the next block down, which is this prefix, where value holds around
// it.
func (e *encoder[K]) emit(start K, bits int, value uint32) {
	b := e.blocks[e.next]
	e.next++
	if b&(turn0<<value) != 0 {
		value = 1 - value
		e.entries = append(e.entries, entry{netip.PrefixFrom(e.form.addr(start), bits), value})
	}
	if b&halved != 0 {
		e.emit(start, bits+1, value)
		e.emit(e.form.middle(start, bits), bits+1, value)
	}
}
