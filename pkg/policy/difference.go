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
	// Files are the names of records that files changed, sorted: what they said
	// before is not known.
	Files []string
}

// Switched is the switch turned: whether filtering is off.
type Switched struct{ Before, After bool }

// ListDifference is what a change does to one list.
type ListDifference struct {
	ListChange
	Entries []EntryChange
	// Admits is how the live allow entries change, less the live deny entries;
	// Denies how the latter do. Difference.Prefixes finds them.
	Admits, Denies PrefixDifference
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

// Kept is the image that the same records have in what the store has of s.
func (i Image) Kept(s *State) Image { return NewDraft(s).values(i) }

// Differ is what changes from one image to another, prefixes aside. A record that
// one of them does not speak of is as if it were not there.
func Differ(before, after Image) Difference {
	var d Difference
	for at := range keys(before.Lists, after.Lists) {
		if c := (ListChange{at, before.Lists[at], after.Lists[at]}); !c.Before.Alike(c.After) {
			d.Lists = append(d.Lists, ListDifference{ListChange: c, Entries: differEntries(c.Before, c.After)})
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

// Prefixes finds what comes of the lists' entries, as of now: it takes far longer
// than to tell the entries apart.
func (d *Difference) Prefixes(now time.Time) {
	for i := range d.Lists {
		l := &d.Lists[i]
		was, is := l.Before.sides(now), l.After.sides(now)
		l.Admits, l.Denies = differSets(was[Allow], is[Allow]), differSets(was[Deny], is[Deny])
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

// differEntries pairs the entries that judge alike, in the order they stand. Most
// changes are of one among thousands, so what both lists begin and end with is
// passed over.
func differEntries(before, after *List) []EntryChange {
	old, fresh := before.pointers(), after.pointers()
	for len(old) > 0 && len(fresh) > 0 && old[0].same(fresh[0]) {
		old, fresh = old[1:], fresh[1:]
	}
	for len(old) > 0 && len(fresh) > 0 && old[len(old)-1].same(fresh[len(fresh)-1]) {
		old, fresh = old[:len(old)-1], fresh[:len(fresh)-1]
	}
	was := map[judged][]*Entry{}
	for _, e := range old {
		was[e.judged()] = append(was[e.judged()], e)
	}
	var found []EntryChange
	for _, e := range fresh {
		c := EntryChange{After: e}
		if old := was[e.judged()]; len(old) > 0 {
			c.Before, was[e.judged()] = old[0], old[1:]
		}
		if c.Before == nil || !c.Before.Alike(e) {
			found = append(found, c)
		}
	}
	for _, e := range old {
		if old := was[e.judged()]; len(old) > 0 && old[0] == e {
			found = append(found, EntryChange{Before: e})
			was[e.judged()] = old[1:]
		}
	}
	return found
}

func (l *List) pointers() []*Entry { return slices.Collect(l.each()) }

// Alike reports whether two lists read alike, whoever owns them and wrote them.
// Their tags are the same then.
func (l *List) Alike(o *List) bool {
	if l == o || l == nil || o == nil {
		return l == o
	}
	return l.State == o.State && slices.EqualFunc(l.Entries, o.Entries, func(a, b Entry) bool { return a.same(&b) })
}

func (e *Entry) same(o *Entry) bool { return e.judged() == o.judged() && e.Alike(o) }

// Alike reports whether two entries that judge the same addresses alike read
// alike.
func (e *Entry) Alike(o *Entry) bool {
	return e.Text == o.Text && e.Disabled == o.Disabled && e.Comment == o.Comment && e.Expires.Equal(o.Expires)
}
