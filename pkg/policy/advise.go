package policy

import (
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/addr"
)

// soon is how long before an entry ends somebody is told.
const soon = 7 * 24 * time.Hour

// Advise is what Lint says of the lists at some places, and what only who writes
// a list wants to hear: that it keeps out a whole family, or is about to end. All
// of it is warnings.
func Advise(s *State, at []Place, now time.Time) Problems {
	l := linter{s: s, now: now}
	for _, p := range at {
		if list := s.ListAt(p); list != nil {
			l.advise(p, list)
		}
	}
	return l.found
}

func (l *linter) advise(at Place, list *List) {
	name := "list " + at.String()
	mine := l.list(name, list)
	if list.State == ListOff || len(mine) == 0 {
		return
	}
	for _, outer := range l.outer(at) {
		if theirs := addr.Aggregate(l.live(l.s.ListAt(outer), Allow)); len(theirs) > 0 && !meet(mine, theirs) {
			l.warnf(list.Pos, "", "%s admits nobody: it has no address in common with the list %s before it", name, outer)
		}
	}
	if v4 := mine[0].From().Is4(); v4 == mine[len(mine)-1].From().Is4() {
		l.warnf(list.Pos, "", "%s admits no %s address", name, map[bool]string{true: "IPv6", false: "IPv4"}[v4])
	}
	for e := range list.each() {
		if e.Live(l.now) && !e.Expires.IsZero() && e.Expires.Sub(l.now) <= soon {
			l.warnf(e.Pos, "", "%s ends in %s", e.Text, e.Expires.Sub(l.now).Round(time.Minute))
		}
	}
}

// outer are the places of the lists that must admit beside the one at a place
// and are judged before it.
func (l *linter) outer(at Place) []Place {
	var before []Place
	for _, resource := range slices.Compact([]string{AnyResource, at.Resource}) {
		system := Place{Scope: ScopeSystem, Resource: resource}
		tenant := Place{Scope: ScopeTenant, Tenant: at.Tenant, Resource: resource}
		switch at.Scope {
		case ScopeTenant:
			before = append(before, system)
		case ScopeUser:
			before = append(before, system, tenant)
		}
	}
	return slices.DeleteFunc(before, func(p Place) bool { return !l.s.ListAt(p).counts() })
}
