package policy

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/addr"
)

// Lint finds what is legal and unlikely to be meant. All of it is warnings.
func Lint(s *State, now time.Time) Problems {
	l := linter{s: s, now: now}
	l.settings()
	l.byResource("the system's", s.System, nil)
	for _, t := range s.Tenants.Sorted() {
		l.tenant(t)
	}
	for _, ep := range s.Endpoints {
		l.endpoint(ep)
	}
	return l.found
}

type linter struct {
	s     *State
	now   time.Time
	found Problems
	// What the system's lists admit, by resource, found once.
	system map[string][]addr.Range
	// The resources of the endpoints, of all tenants and of each.
	everywhere map[string]bool
	used       map[string]map[string]bool
	withUsers  []*Tenant // those that have lists of users
}

func (l *linter) warnf(pos Pos, remedy, format string, args ...any) {
	l.found = append(l.found, Problem{Pos: pos, Warning: true, What: fmt.Sprintf(format, args...), Remedy: remedy})
}

// settings is what stands outside lists and endpoints.
func (l *linter) settings() {
	if l.s.FilteringOff {
		l.warnf(Pos{}, "", "filtering: off lifts every list but the endpoints' own")
	}
	for _, f := range l.s.Failsafe {
		for _, p := range f.From {
			if p.Bits() == 0 {
				l.warnf(f.Pos, "name where you administer from", "failsafe from %s lets everybody through, whatever the lists say", p)
			}
		}
		l.mappedPrefixes(f.Pos, "failsafe", f.From)
	}
	l.mappedPrefixes(Pos{}, "tunnels", l.s.TunnelsFrom)
}

// mappedPrefixes are for packets and peers, which are never IPv4-mapped.
func (l *linter) mappedPrefixes(pos Pos, what string, ps []netip.Prefix) {
	for _, p := range ps {
		if p.Addr().Is4In6() {
			l.warnf(pos, "write it as IPv4", "%s: %s is IPv4-mapped and matches nobody: on the wire they are IPv4", what, p)
		}
	}
}

// byResource is the lists of one scope; outer are those of the scope before,
// which must admit too.
func (l *linter) byResource(whose string, lists map[string]*List, outer map[string][]addr.Range) {
	for _, resource := range slices.Sorted(maps.Keys(lists)) {
		list := lists[resource]
		name := fmt.Sprintf("%s list %s", whose, resource)
		mine := l.list(name, list)
		if len(mine) == 0 || list.State == ListOff {
			continue
		}
		for _, r := range slices.Compact([]string{AnyResource, resource}) {
			if theirs := outer[r]; len(theirs) > 0 && !meet(mine, theirs) {
				l.warnf(list.Pos, "", "%s admits nobody: it has no address in common with the list %s before it", name, r)
				break
			}
		}
	}
}

// meet reports whether two sorted aggregates have an address in common.
func meet(a, b []addr.Range) bool {
	return slices.ContainsFunc(a, func(r addr.Range) bool { return touches(b, r) })
}

func touches(sorted []addr.Range, r addr.Range) bool {
	i, _ := slices.BinarySearchFunc(sorted, r.From(), func(s addr.Range, from netip.Addr) int {
		return s.To().Compare(from)
	})
	return i < len(sorted) && sorted[i].Overlaps(r)
}

// admitted are the live allow entries of the lists that count, by resource.
func (l *linter) admitted(lists map[string]*List) map[string][]addr.Range {
	all := make(map[string][]addr.Range, len(lists))
	for resource, list := range lists {
		if list.counts() {
			all[resource] = addr.Aggregate(l.live(list, Allow))
		}
	}
	return all
}

func (l *linter) live(list *List, action Action) []addr.Range {
	var ranges []addr.Range
	for i := range list.Entries {
		if e := &list.Entries[i]; e.Action == action && e.Live(l.now) {
			ranges = append(ranges, l.rangeOf(e))
		}
	}
	return ranges
}

func (l *linter) rangeOf(e *Entry) addr.Range {
	if l.s.Unmap {
		return addr.Unmap(e.Range)
	}
	return e.Range
}

func (l *linter) tenant(t *Tenant) {
	if l.system == nil {
		l.system = l.admitted(l.s.System)
	}
	whose := "tenant " + t.ID + "'s"
	l.byResource(whose, t.Lists, l.system)
	l.unused(t, whose, t.Lists)
	if len(t.Users) == 0 {
		return
	}
	l.withUsers = append(l.withUsers, t)
	theirs := maps.Clone(l.system)
	maps.Copy(theirs, l.admitted(t.Lists))
	for _, user := range slices.Sorted(maps.Keys(t.Users)) {
		whose := "user " + user + "'s"
		l.byResource(whose, t.Users[user], theirs)
		l.unused(t, whose, t.Users[user])
	}
}

// unused finds lists that no endpoint asks for.
func (l *linter) unused(t *Tenant, whose string, lists map[string]*List) {
	if len(l.s.Endpoints) == 0 {
		return // list files alone
	}
	if l.used == nil {
		l.uses()
	}
	for _, resource := range slices.Sorted(maps.Keys(lists)) {
		if resource != AnyResource && !l.everywhere[resource] && !l.used[t.ID][resource] {
			l.warnf(lists[resource].Pos, "", "%s list %s is never asked for: no endpoint of tenant %s has that resource", whose, resource, t.ID)
		}
	}
}

func (l *linter) uses() {
	l.everywhere, l.used = map[string]bool{}, map[string]map[string]bool{}
	for _, ep := range l.s.Endpoints {
		if ep.AllTenants {
			l.everywhere[ep.Resource] = true
		}
		for _, id := range ep.Tenants {
			if l.used[id] == nil {
				l.used[id] = map[string]bool{}
			}
			l.used[id][ep.Resource] = true
		}
	}
}

func (l *linter) endpoint(ep *Endpoint) {
	what := "endpoint " + ep.Name
	if ep.Policies != nil {
		l.list(what+": its own list", ep.Policies)
	}
	l.mappedPrefixes(ep.Pos, what+": proxies", ep.Client.Proxies)
	if why := l.s.Open(ep); why != "" {
		l.warnf(ep.Pos, "give it one, or write unlisted: closed", "%s: OPEN (%s)", what, why)
	}
	if ep.Client.Source != Peer && ep.HTTP == nil {
		l.warnf(ep.Pos, "add http", "%s: only its proxies are held to; without http nobody judges who they speak for", what)
	}
	l.found = append(l.found, l.s.lockOut(ep)...)
}
