package policy

import (
	"cmp"
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"go4.org/netipx"
)

// Difference is what tells two images of the same records apart.
type Difference struct {
	Lists     []ListDifference // by name
	Tenants   []Change[TenantRecord]
	Endpoints []Change[Endpoint]
	Filtering *Switched
}

// Switched is the switch turned: whether filtering is off.
type Switched struct{ Before, After bool }

// ListDifference is what a change does to one list.
type ListDifference struct {
	ListChange
	// Admits is how the live allow entries change, less the live deny entries;
	// Denies how the latter do.
	Admits, Denies PrefixDifference
	Entries        []EntryChange
}

// PrefixDifference is the addresses that one set has and another has not.
type PrefixDifference struct{ Added, Removed []netip.Prefix }

// EntryChange is an entry that came, went or reads otherwise; nil is none.
type EntryChange struct{ Before, After *Entry }

// Like is the image that the same records have in s.
func (i Image) Like(s *State) Image {
	is := Image{
		Lists: make(map[Place]*List, len(i.Lists)), Tenants: make(map[string]*TenantRecord, len(i.Tenants)),
		Endpoints: make(map[string]*Endpoint, len(i.Endpoints)),
	}
	for at := range i.Lists {
		is.Lists[at] = s.ListAt(at)
	}
	for id := range i.Tenants {
		is.Tenants[id] = s.Tenants.Get(id).Record()
	}
	for name := range i.Endpoints {
		is.Endpoints[name] = s.Endpoint(name)
	}
	if i.Filtering != nil {
		off := s.FilteringOff
		is.Filtering = &off
	}
	return is
}

// Differ is what changes from one image to another, as of now. A record that
// one of them does not speak of is as if it were not there.
func Differ(before, after Image, now time.Time) Difference {
	var d Difference
	for at := range keys(before.Lists, after.Lists) {
		if c := (ListChange{at, before.Lists[at], after.Lists[at]}); c.Before.Tag() != c.After.Tag() {
			d.Lists = append(d.Lists, differ(c, now))
		}
	}
	slices.SortFunc(d.Lists, func(a, b ListDifference) int { return cmp.Compare(a.At.String(), b.At.String()) })
	d.Tenants = changed(before.Tenants, after.Tenants, (*TenantRecord).Tag)
	d.Endpoints = changed(before.Endpoints, after.Endpoints, (*Endpoint).Tag)
	if before.Filtering != nil && after.Filtering != nil && *before.Filtering != *after.Filtering {
		d.Filtering = &Switched{*before.Filtering, *after.Filtering}
	}
	return d
}

func keys[K comparable, V any](a, b map[K]V) map[K]bool {
	all := make(map[K]bool, len(a)+len(b))
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return all
}

func changed[T any](before, after map[string]*T, tag func(*T) string) []Change[T] {
	var found []Change[T]
	for _, name := range slices.Sorted(maps.Keys(keys(before, after))) {
		was, is := before[name], after[name]
		if was != is && tag(was) != tag(is) {
			found = append(found, Change[T]{name, was, is})
		}
	}
	return found
}

func differ(c ListChange, now time.Time) ListDifference {
	was, is := c.Before.sides(now), c.After.sides(now)
	return ListDifference{
		ListChange: c,
		Admits:     differSets(was[Allow], is[Allow]),
		Denies:     differSets(was[Deny], is[Deny]),
		Entries:    differEntries(c.Before, c.After),
	}
}

// sides are who is admitted and who is denied by name.
func (l *List) sides(now time.Time) (by [2]*Set) {
	var of [2]sweeper // a sweeper keeps one list at a time
	if l.counts() {
		for i := range l.Entries {
			e := &l.Entries[i]
			if !e.Live(now) {
				continue
			}
			of[Allow].add(e.Range, i, e.Action)
			if e.Action == Deny {
				of[Deny].add(e.Range, i, Allow)
			}
		}
	}
	for side := range of {
		x := of[side].index()
		s := x.set(true)
		by[side] = &s
	}
	return by
}

func differSets(was, is *Set) PrefixDifference {
	return PrefixDifference{Added: less(is, was), Removed: less(was, is)}
}

// less is who is in a and not in b, as the fewest prefixes.
func less(a, b *Set) []netip.Prefix {
	rest := intersect(a, &Set{V4: opposite(b.V4), V6: opposite(b.V6)})
	v4 := spelled(rest.V4, math.MaxUint32, addr4)
	return append(v4, spelled(rest.V6, lastIPv6, U128.Addr)...)
}

func opposite[K uint32 | U128](f FamilySet[K]) FamilySet[K] { return newFamilySet(!f.First, f.Ends) }

// spelled are who is in a family's set, as prefixes.
func spelled[K uint32 | U128](f FamilySet[K], last K, at func(K) netip.Addr) []netip.Prefix {
	var found []netip.Prefix
	first := at(*new(K))
	for i, end := range append(slices.Clone(f.Ends), last) {
		if f.turned(i) {
			found = netipx.IPRangeFrom(first, at(end)).AppendPrefixes(found)
		}
		first = at(end).Next()
	}
	return found
}

// differEntries pairs the entries that judge alike, in the order they stand.
func differEntries(before, after *List) []EntryChange {
	was := map[judged][]*Entry{}
	for e := range before.each() {
		was[e.judged()] = append(was[e.judged()], e)
	}
	var found []EntryChange
	for e := range after.each() {
		c := EntryChange{After: e}
		if old := was[e.judged()]; len(old) > 0 {
			c.Before, was[e.judged()] = old[0], old[1:]
		}
		if c.Before == nil || !c.Before.Alike(e) {
			found = append(found, c)
		}
	}
	for e := range before.each() {
		if old := was[e.judged()]; len(old) > 0 && old[0] == e {
			found = append(found, EntryChange{Before: e})
			was[e.judged()] = old[1:]
		}
	}
	return found
}

// Alike reports whether two entries that judge the same addresses alike read
// alike.
func (e *Entry) Alike(o *Entry) bool {
	return e.Text == o.Text && e.Disabled == o.Disabled && e.Comment == o.Comment && e.Expires.Equal(o.Expires)
}
