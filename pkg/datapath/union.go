package datapath

import (
	"iter"
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// unionFrom is from how many ends in its parts on a union is kept as counts.
const unionFrom = 4096

// bound is a place behind which more or fewer parts of a union hold.
type bound[K end] struct {
	end   K
	delta int32
}

// counts are the parts of a union, one on top of the other: how many hold at the
// beginning of the address space, and where that changes.
type counts[K end] struct {
	first  int32
	bounds []bound[K]
}

func gather[K end](f form[K], parts []*policy.FamilySet[K]) counts[K] {
	c := counts[K]{bounds: make([]bound[K], 0, weigh(parts))}
	for _, part := range parts {
		inside := part.First
		c.first += delta(inside)
		for _, e := range part.Ends {
			inside = !inside
			c.bounds = append(c.bounds, bound[K]{e, 2*delta(inside) - 1})
		}
	}
	slices.SortFunc(c.bounds, func(a, b bound[K]) int { return f.compare(a.end, b.end) })
	c.bounds = coalesce(f, c.bounds)
	return c
}

func delta(holds bool) int32 {
	if holds {
		return 1
	}
	return 0
}

// coalesce makes one of bounds at the same end, and none of those that come to
// nothing.
func coalesce[K end](f form[K], bounds []bound[K]) []bound[K] {
	kept := bounds[:0]
	for _, b := range bounds {
		switch n := len(kept); {
		case n == 0 || f.compare(kept[n-1].end, b.end) != 0:
			kept = append(kept, b)
		case kept[n-1].delta+b.delta == 0:
			kept = kept[:n-1]
		default:
			kept[n-1].delta += b.delta
		}
	}
	return kept
}

// flat is where any part holds, as ends.
func (c counts[K]) flat() (first bool, ends []K) {
	at := c.first
	for _, b := range c.bounds {
		was := at > 0
		if at += b.delta; at > 0 != was {
			ends = append(ends, b.end)
		}
	}
	return c.first > 0, ends
}

// union is a large union, cut as its root is: a part that changes touches few
// slots.
type union[K end] struct {
	form  form[K]
	table root
	slots []counts[K]
}

// newUnion cuts counts with bounds.
func newUnion[K end](f form[K], all counts[K]) *union[K] {
	ends := make([]K, len(all.bounds))
	for i, b := range all.bounds {
		ends[i] = b.end
	}
	u := &union[K]{form: f, table: rootFor(f, false, ends)}
	u.slots = make([]counts[K], u.table.slots())
	at, bounds := all.first, all.bounds
	for i := range u.slots {
		n := 0
		u.slots[i].first = at
		for n < len(bounds) && u.slot(bounds[n].end) == i {
			at += bounds[n].delta
			n++
		}
		u.slots[i].bounds, bounds = bounds[:n:n], bounds[n:]
	}
	return u
}

func (u *union[K]) slot(e K) int { return u.table.slot(u.form.left(e)) }

// root is where the union is put, as it stands now. What lies below the base is
// as slot 0 begins.
func (u *union[K]) root() root {
	r := u.table
	r.first = u.slots[0].first > 0
	return r
}

// holds reports whether the union's root has a slot for each end of the parts.
func (u *union[K]) holds(parts []*policy.FamilySet[K]) bool {
	return !slices.ContainsFunc(parts, func(p *policy.FamilySet[K]) bool {
		n := len(p.Ends)
		return n > 0 && !(u.table.reaches(u.form.left(p.Ends[0])) && u.table.reaches(u.form.left(p.Ends[n-1])))
	})
}

// change counts parts in and others out, and returns the slots in which that
// made a difference.
func (u *union[K]) change(in, out []*policy.FamilySet[K]) []int {
	before := map[int]segment[K]{}
	for _, part := range in {
		u.count(part, 1, before)
	}
	for _, part := range out {
		u.count(part, -1, before)
	}
	var touched []int
	for i, was := range before {
		if !u.segment(i).equal(was) {
			touched = append(touched, i)
		}
	}
	slices.Sort(touched)
	return touched
}

// count adds a part to the counts, or takes it off, and remembers how the slots
// were before.
func (u *union[K]) count(part *policy.FamilySet[K], sign int32, before map[int]segment[K]) {
	touch := func(slot int) *counts[K] {
		if _, seen := before[slot]; !seen {
			before[slot] = u.segment(slot)
		}
		return &u.slots[slot]
	}
	inside, from := part.First, 0 // from: the next slot to begin
	raise := func(to int) {
		for ; from <= to; from++ {
			if inside {
				touch(from).first += sign
			}
		}
	}
	for _, e := range part.Ends {
		slot := u.slot(e)
		raise(slot)
		inside = !inside
		touch(slot).insert(u.form, bound[K]{e, sign * (2*delta(inside) - 1)})
	}
	raise(len(u.slots) - 1)
}

func (c *counts[K]) insert(f form[K], b bound[K]) {
	i, found := slices.BinarySearchFunc(c.bounds, b.end, func(at bound[K], e K) int { return f.compare(at.end, e) })
	switch {
	case !found:
		c.bounds = slices.Insert(c.bounds, i, b)
	case c.bounds[i].delta+b.delta == 0:
		c.bounds = slices.Delete(c.bounds, i, i+1)
	default:
		c.bounds[i].delta += b.delta
	}
}

// segment is what the parts of a slot come to.
func (u *union[K]) segment(slot int) segment[K] {
	first, ends := u.slots[slot].flat()
	return segment[K]{first, ends}.within(u.form, u.table, slot)
}

func (u *union[K]) changed(slots []int) iter.Seq2[int, segment[K]] {
	return func(yield func(int, segment[K]) bool) {
		for _, i := range slots {
			if !yield(i, u.segment(i)) {
				return
			}
		}
	}
}

func (u *union[K]) all() iter.Seq2[int, segment[K]] {
	return func(yield func(int, segment[K]) bool) {
		for i := range u.slots {
			if !yield(i, u.segment(i)) {
				return
			}
		}
	}
}

// differentParts are the parts that only one of two unions has, as often as it
// has them. Parts stand in a stable order, so most of them are passed over.
func differentParts(from, to []*policy.Set) (in, out []*policy.Set) {
	for len(from) > 0 && len(to) > 0 && from[0] == to[0] {
		from, to = from[1:], to[1:]
	}
	for len(from) > 0 && len(to) > 0 && from[len(from)-1] == to[len(to)-1] {
		from, to = from[:len(from)-1], to[:len(to)-1]
	}
	count := map[*policy.Set]int{}
	for _, s := range to {
		count[s]++
	}
	for _, s := range from {
		if count[s]--; count[s] < 0 {
			out = append(out, s)
		}
	}
	for _, s := range to {
		if count[s] > 0 {
			count[s]--
			in = append(in, s)
		}
	}
	return in, out
}
