package policy

import "slices"

// union is the set of all who are listed by one of some tenants, kept from one
// revision to the next: of 90,000 tenants few change, and those are counted anew.
type union struct {
	ids     []string
	all     bool              // ids are all there are
	tenants Map[tenantLists]  // as of which set is
	counts  map[*Set]int      // how many of the tenants have a set
	parts   []*Set            // those that some have
	v4, v6  [KindOpen + 1]int // how many parts are of a kind
	set     *Set
	moved   bool // parts stand in another order than a new union's
}

// newUnion is the union of the sets that these tenants have for a key.
func (p *planner) newUnion(ids []string, all bool, key tenantKey) *union {
	u := &union{ids: ids, all: all, tenants: p.t.tenants, counts: make(map[*Set]int, len(ids))}
	for _, id := range ids {
		s := p.tenantSet(id, key)
		if u.counts[s]++; u.counts[s] == 1 && s != nobodySet {
			u.parts = append(u.parts, s)
			u.kind(s, 1)
		}
	}
	u.set = u.whole(p.sets)
	return u
}

// follow brings u to the present tenants, unless other tenants are asked for or
// so many changed that it is not worth it. Where a list only monitors, unions are
// compared with each other, and parts must stand in one order.
func (u *union) follow(p *planner, ids []string, key tenantKey) bool {
	if u.all && !same(u.ids, ids) || p.monitor && u.moved {
		return false
	}
	const most = 100
	turned := map[*Set]bool{} // sets that are counted otherwise -> whether they were parts
	count := func(s *Set, n int) {
		if _, seen := turned[s]; !seen {
			turned[s] = u.counts[s] > 0
		}
		u.counts[s] += n
	}
	for c := range p.t.tenants.Since(u.tenants) {
		n := u.times(c.Name)
		if n == 0 {
			continue
		}
		if c.Before == nil || c.After == nil || len(turned) > most {
			return false
		}
		count(c.Before.set(key), -n)
		count(p.tenantSet(c.Name, key), n)
	}
	u.tenants = p.t.tenants
	if u.replace(turned) {
		u.set, u.moved = u.whole(p.sets), true
	}
	return !p.monitor || !u.moved
}

// times is how often a tenant is among ids.
func (u *union) times(id string) int {
	if u.all {
		return 1
	}
	n := 0
	for _, other := range u.ids {
		n += count(other == id)
	}
	return n
}

// replace makes parts of those that are counted now, and reports whether that
// changed them. Who comes takes the place of one that goes, so that most stay
// where they are. Parts may be some Set's: they are copied.
func (u *union) replace(turned map[*Set]bool) bool {
	var came, went []*Set
	for s, was := range turned {
		switch is := u.counts[s] > 0; {
		case s == nobodySet:
		case is && !was:
			came = append(came, s)
			u.kind(s, 1)
		case was && !is:
			went = append(went, s)
			u.kind(s, -1)
		}
		if u.counts[s] == 0 {
			delete(u.counts, s)
		}
	}
	if len(came)+len(went) == 0 {
		return false
	}
	u.parts = slices.Clone(u.parts)
	for _, s := range went {
		i := slices.Index(u.parts, s)
		if len(came) == 0 {
			u.parts = slices.Delete(u.parts, i, i+1)
			continue
		}
		u.parts[i], came = came[0], came[1:]
	}
	u.parts = append(u.parts, came...)
	return true
}

func (u *union) kind(s *Set, n int) {
	u.v4[s.V4.Kind] += n
	u.v6[s.V6.Kind] += n
}

// whole is the union of the parts.
func (u *union) whole(sets *interner) *Set {
	s := Set{Parts: u.parts}
	s.V4.Kind, s.V6.Kind = widestOf(u.v4), widestOf(u.v6)
	s.V4.First, s.V6.First = s.V4.Kind == KindOpen, s.V6.Kind == KindOpen
	if plainer := s.plainer(); plainer != nil {
		return plainer
	}
	return sets.intern(s)
}

func widestOf(kinds [KindOpen + 1]int) Kind {
	for k := KindOpen; k > KindNobody; k-- {
		if kinds[k] > 0 {
			return k
		}
	}
	return KindNobody
}
