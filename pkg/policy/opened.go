package policy

import (
	"cmp"
	"slices"
	"sync"
)

// Opening is something that kept addresses out and keeps nobody out any more.
type Opening struct {
	Name string // of the record: a list's place, "endpoints/portal", "filtering", "mode"
	Why  string
}

func (o Opening) String() string { return o.Name + ": " + o.Why }

// Opened are the openings that a change makes, by name. A list counts while it
// is on and holds an allow entry in whatever state; that entries run out opens
// nothing.
func Opened(before, after *Table) []Opening {
	was, is := before.State, after.State
	var found []Opening
	open := func(name, why string) {
		if why != "" {
			found = append(found, Opening{name, why})
		}
	}
	if was.Mode == Enforce && is.Mode != Enforce {
		open("mode", "it is "+is.Mode.String()+" now")
	}
	closed := sync.OnceValue(was.closesUnlisted) // it asks every endpoint
	if !was.FilteringOff && is.FilteringOff && (was.filters() || closed()) {
		open(filteringName, "it lifts every list but the endpoints' own")
	}
	for c := range is.ListsSince(was) {
		open(c.At.String(), c.opened(closed))
	}
	d := newDoors(before, after)
	for c := range is.EndpointsSince(was) {
		open("endpoints/"+c.Name, d.opened(c.Before, c.After))
	}
	for ep, why := range d.openedByTenants() {
		open("endpoints/"+ep.Name, why)
	}
	slices.SortFunc(found, func(a, b Opening) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Why, b.Why)) })
	return slices.CompactFunc(found, func(a, b Opening) bool { return a.Name == b.Name })
}

// filters reports whether a list that the switch lifts keeps anybody out.
func (s *State) filters() bool {
	for at, l := range s.Lists() {
		if at.Scope != ScopeEndpoint && l.keepsOut() {
			return true
		}
	}
	return false
}

// keepsOut reports whether the list refuses whom no entry names, and does not
// only say that it would.
func (l *List) keepsOut() bool { return l.restricts() && l.State == ListOn }

// closesUnlisted reports whether somewhere "no list" means nobody.
func (s *State) closesUnlisted() bool {
	return s.closed(nil) || slices.ContainsFunc(s.Endpoints, s.closed)
}

// opened says how a place came to keep nobody out; "" where it did not. Where
// none may come without a list, one that only denies lets in all the others.
func (c ListChange) opened(closed func() bool) string {
	switch is := c.After; {
	case !c.Before.counts() && is.counts() && !is.keepsOut() && (c.At.Scope == ScopeTenant || c.At.Scope == ScopeEndpoint) && closed():
		return "it keeps nobody out, and without it nobody came in"
	case !c.Before.keepsOut() || is.keepsOut():
		return ""
	case is == nil:
		return "it is gone"
	case is.State != ListOn:
		return "it is " + is.State.String() + " now"
	case len(is.Entries) == 0:
		return "it is empty now"
	}
	return "its last allow entry is gone"
}

// covers reports whether what was judged for one endpoint is judged for the
// other.
func covers(is, was *Endpoint) bool {
	if is.Protocol != was.Protocol && is.Protocol != AnyProtocol || !is.Destination.covers(was.Destination) {
		return false
	}
	return is.Protocol == AnyProtocol || !slices.ContainsFunc(was.Ports, func(r PortRange) bool { return !portsCover(is.Ports, r) })
}

func (d Destination) covers(o Destination) bool {
	switch {
	case d == o || d.Everything:
		return true
	case !d.Prefix.IsValid() || !o.Prefix.IsValid():
		return false
	}
	return d.Prefix.Bits() <= o.Prefix.Bits() && d.Prefix.Contains(o.Prefix.Addr())
}

// portsCover reports whether every port of r lies in one of the ranges.
func portsCover(ranges []PortRange, r PortRange) bool {
	sorted := slices.SortedFunc(slices.Values(ranges), func(a, b PortRange) int { return cmp.Compare(a.First, b.First) })
	next := int(r.First)
	for _, have := range sorted {
		if int(have.First) <= next {
			next = max(next, int(have.Last)+1)
		}
	}
	return next > int(r.Last)
}
