package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// planner says what each endpoint asks of a packet's source, as two sets, and
// joins that with a matching to the Plan.
type planner struct {
	sets    *interner
	t       *Table
	last    *Table              // compiled with the same matching; nil: none was
	monitor bool                // some list is in monitor, so that shadows may differ
	unions  map[unionKey]*union // those of the revision before too
}

// tenantKey is what a tenant's set depends on beside the tenant.
type tenantKey struct {
	resource string
	closed   bool
	law      bool // lists in monitor count
}

// tenantSet is a tenant's set for a key. A tenant has few.
type tenantSet struct {
	tenantKey
	*Set
}

type unionKey struct {
	tenants string
	tenantKey
}

func (p *planner) plan(m *matching) *Plan {
	s := p.t.State
	plan := &Plan{
		Mode: s.Mode, PassMPLS: s.PassMPLS,
		Records: p.records(m),
		Classes: m.classes, TCP: m.tcp, UDP: m.udp, Other: m.other, Guard: m.guard,
		Tunnels: p.sets.sources(s.TunnelsFrom),
	}
	var failsafe []netip.Prefix
	for _, f := range s.Failsafe {
		failsafe = append(failsafe, f.From...)
	}
	plan.FailsafeAny = p.sets.sources(failsafe)
	return plan
}

// record is one endpoint. Its lists in monitor are left out of what is enforced
// and stand in the shadow.
func (p *planner) record(ep *Endpoint) Record {
	r := Record{
		Endpoint: ep, Name: ep.Name, Mode: p.t.Mode(ep),
		Own: p.own(ep, false), Tenant: p.tenant(ep, false),
	}
	if !p.monitor {
		return r
	}
	if own, tenant := p.own(ep, true), p.tenant(ep, true); own != r.Own || tenant != r.Tenant {
		r.ShadowOwn, r.ShadowTenant = own, tenant
	}
	return r
}

// own is what a packet's source must be in whoever the tenant is.
func (p *planner) own(ep *Endpoint, law bool) *Set {
	switch {
	case ep.Client.Source != Peer:
		if s := p.sets.sources(ep.speakers()); s != nil {
			return s
		}
		return nobodySet
	case ep.Responds():
		return openSet
	}
	own := listSet(p.t.own.lists[ep.packetPolicies()], law)
	if p.t.State.FilteringOff {
		return own
	}
	return p.and(p.lists(p.t.system.lists, ep.Resource, law), own)
}

// tenant is what it must be in for some tenant of the endpoint.
func (p *planner) tenant(ep *Endpoint, law bool) *Set {
	if !ep.JudgesPackets() || p.t.State.FilteringOff {
		return openSet
	}
	key := tenantKey{resource: ep.Resource, closed: p.t.State.closed(ep), law: law}
	switch ids := p.t.tenantsOf(ep); {
	case len(ids) == 1:
		return p.tenantSet(ids[0], key)
	case len(ids) > 1:
		return p.union(ep, ids, key)
	case key.closed && !ep.Policies.counts():
		return nobodySet
	}
	return openSet
}

func (p *planner) tenantSet(id string, key tenantKey) *Set {
	ts := p.t.tenants.Get(id)
	if s := ts.set(key); s != nil {
		return s
	}
	s := nobodySet
	if !key.closed || !ts.unlisted(key.resource) {
		s = p.lists(ts.lists, key.resource, key.law)
	}
	ts.sets = append(ts.sets, tenantSet{key, s})
	return s
}

// union is the set of all who are listed by one of the endpoint's tenants.
func (p *planner) union(ep *Endpoint, ids []string, key tenantKey) *Set {
	whose := unionKey{AnyResource, key}
	if !ep.AllTenants {
		whose.tenants = strings.Join(ids, ",")
	}
	u := p.unions[whose]
	if u == nil || !u.follow(p, ids, key) {
		u = p.newUnion(ids, ep.AllTenants, key)
		p.unions[whose] = u
	}
	return u.set
}

// lists is the set of a scope: "*" and the resource's, both.
func (p *planner) lists(by resourceLists, resource string, law bool) *Set {
	s := listSet(by.of(AnyResource), law)
	if named(resource) {
		s = p.and(s, listSet(by.of(resource), law))
	}
	return s
}

func listSet(cl *compiledList, law bool) *Set {
	if cl == nil || !law && cl.list.State == ListMonitor {
		return openSet
	}
	return cl.set
}

// and is who is in both sets.
func (p *planner) and(a, b *Set) *Set {
	switch {
	case a == b || b.IsOpen():
		return a
	case a.IsOpen():
		return b
	case a.Parts != nil || b.Parts != nil:
		return p.andParts(a, b)
	}
	return p.sets.intern(intersect(a, b))
}

// andParts takes a union apart: each of its parts meets the other set.
func (p *planner) andParts(a, b *Set) *Set {
	if a.Parts == nil {
		a, b = b, a
	}
	parts := make([]*Set, len(a.Parts))
	for i, part := range a.Parts {
		parts[i] = p.and(part, b)
	}
	return p.or(parts)
}

// or is who is in one of the sets.
func (p *planner) or(sets []*Set) *Set {
	u := UnionOf(sets...)
	if u.Parts == nil {
		return u
	}
	return p.sets.intern(*u)
}

// joint is the union of those who may send to one of several endpoints, as
// strictly enforced as the strictest: what cannot be walked or told apart by port
// would otherwise reach an enforcing endpoint because its neighbour monitors.
func (p *planner) joint(records Records, members []int) Record {
	r := Record{Name: jointName(records, members), Mode: Off}
	var own, tenant []*Set
	for _, i := range members {
		member := records.At(i)
		r.Mode = min(r.Mode, member.Mode)
		own, tenant = append(own, member.Own), append(tenant, member.Tenant)
	}
	r.Own, r.Tenant = p.eitherPair(own, tenant)
	return r
}

// eitherPair is the union over i of own[i] AND tenant[i]. What all have in
// common stays apart, or a system list would be compiled into every tenant's.
func (p *planner) eitherPair(own, tenant []*Set) (*Set, *Set) {
	alike := func(sets []*Set) bool {
		return !slices.ContainsFunc(sets, func(s *Set) bool { return s != sets[0] })
	}
	switch {
	case alike(own):
		return own[0], p.or(tenant)
	case alike(tenant):
		return p.or(own), tenant[0]
	}
	both := make([]*Set, len(own))
	for i := range own {
		both[i] = p.and(own[i], tenant[i])
	}
	return p.or(both), openSet
}

// jointName names a union for counters and events.
func jointName(records Records, members []int) string {
	const most = 3
	names := make([]string, 0, most)
	for _, i := range members[:min(most, len(members))] {
		names = append(names, records.At(i).Name)
	}
	name := strings.Join(names, "+")
	if n := len(members) - most; n > 0 {
		name = fmt.Sprintf("%s+%d more", name, n)
	}
	return name
}
