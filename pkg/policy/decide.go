package policy

import (
	"net/netip"
	"slices"
)

// Decide is the law: may q.Addr pass.
//
// Without a tenant, on an endpoint that has some, the question is the packet's:
// the tenant scope passes where any of the endpoint's tenants admits the
// address. User lists are judged only for a named user of a named tenant.
func (t *Table) Decide(q Query) Verdict {
	if t.State.Unmap && q.Addr.Is4In6() {
		q.Addr = q.Addr.Unmap()
	}
	var own listPart
	if q.Endpoint != nil {
		own.List = q.Endpoint.Policies
	}
	return t.decide(q, own)
}

// DecidePacket is what the kernel must do with a packet from src that ep
// decides about: Decide, as far as a packet can settle it. It leaves to the gate
// who the client behind a proxy is, a refusal that must be answered, and the
// allow entries that another kind of check may stand in for.
func (t *Table) DecidePacket(ep *Endpoint, src netip.Addr) Verdict {
	enforced := t.Mode(ep) == Enforce
	switch {
	case ep.Client.Source != Peer:
		if ep.maySpeak(src) {
			return Verdict{Allow: true, Reason: Listed, Enforced: enforced}
		}
		return Verdict{Reason: NotProxy, Enforced: enforced}
	case ep.Responds():
		return Verdict{Allow: true, Reason: Unrestricted, Enforced: enforced}
	}
	return t.decide(Query{Endpoint: ep, Addr: src}, ep.packetPolicies())
}

// packetPolicies is the part of the endpoint's own list a packet is held to.
// Where no gate could let another kind of check stand in, that is all of it.
func (ep *Endpoint) packetPolicies() listPart {
	return listPart{ep.Policies, ep.Verify == VerifyOr && ep.HTTP != nil}
}

// Mode is how far the endpoint's verdicts are carried out.
func (t *Table) Mode(ep *Endpoint) Mode { return max(t.State.Mode, ep.Mode) }

// JudgesPackets reports whether a packet's source is the client that the endpoint
// judges; else it is the gate that judges, by the request.
func (ep *Endpoint) JudgesPackets() bool { return ep.Client.Source == Peer && !ep.Responds() }

// Responds reports whether a refusal is answered by the gate.
func (ep *Endpoint) Responds() bool {
	return ep.Refuse == RefuseRespond || ep.Refuse == RefuseDefault && ep.HTTP != nil
}

// maySpeak reports whether src is a proxy or a health checker of ep.
func (ep *Endpoint) maySpeak(src netip.Addr) bool {
	return slices.ContainsFunc(ep.speakers(), func(p netip.Prefix) bool { return p.Contains(src) })
}

func (ep *Endpoint) speakers() []netip.Prefix {
	if ep.HTTP == nil {
		return ep.Client.Proxies
	}
	return slices.Concat(ep.Client.Proxies, ep.HTTP.HealthFrom)
}

// Serves reports whether the endpoint serves a tenant.
func (ep *Endpoint) Serves(tenant string) bool {
	return ep.AllTenants || slices.Contains(ep.Tenants, tenant)
}

// decision is one query on its way through the scopes. A scope refuses by
// returning true, and nothing after it is asked.
type decision struct {
	t         *Table
	q         Query
	resource  string
	admitted  Verdict // by the last entry that matched
	monitored Verdict // the first refusal that its list only monitors
	refusal   Verdict
}

func (t *Table) decide(q Query, own listPart) Verdict {
	d := decision{t: t, q: q, resource: q.Resource, admitted: Verdict{Allow: true, Reason: Unrestricted}}
	enforced := t.State.Mode == Enforce
	if ep := q.Endpoint; ep != nil {
		enforced = t.Mode(ep) == Enforce
		if d.resource == "" {
			d.resource = ep.Resource
		}
	}
	v := d.run(own)
	v.Enforced = enforced && (v.Allow || v.List == nil || v.List.State == ListOn)
	return v
}

func (d *decision) run(own listPart) Verdict {
	switch {
	case !d.q.Addr.IsValid():
		return Verdict{Reason: NoAddress}
	case d.exempt():
		return Verdict{Allow: true, Reason: Exempt}
	case !d.t.State.FilteringOff && (d.system() || d.tenants()),
		d.list(d.t.own.lists[own], ScopeEndpoint, "", AnyResource):
		return d.refusal
	case d.monitored.List != nil:
		return d.monitored
	}
	return d.admitted
}

// exempt is break-glass: a true loopback peer, where the endpoint says so.
func (d *decision) exempt() bool {
	ep := d.q.Endpoint
	return ep != nil && ep.Loopback == LoopbackExempt && d.q.TruePeer && d.q.Addr.Unmap().IsLoopback()
}

func (d *decision) system() bool {
	return d.lists(d.t.system.lists, ScopeSystem, "")
}

// lists judges by the "*" list, then by the resource's: both must pass.
func (d *decision) lists(by resourceLists, scope Scope, tenant string) bool {
	return d.list(by.of(AnyResource), scope, tenant, AnyResource) ||
		named(d.resource) && d.list(by.of(d.resource), scope, tenant, d.resource)
}

// named reports whether a resource has lists of its own beside "*".
func named(resource string) bool { return resource != "" && resource != AnyResource }

func (d *decision) list(cl *compiledList, scope Scope, tenant, resource string) bool {
	if cl == nil {
		return false
	}
	allow, reason, entry := cl.judge(d.q.Addr)
	v := Verdict{
		Allow: allow, Reason: reason, Scope: scope, Tenant: tenant,
		Resource: resource, List: cl.list, Entry: entry,
	}
	if scope == ScopeUser {
		v.User = d.q.User
	}
	switch {
	case allow && entry != nil:
		d.admitted = v
	case allow:
	case cl.list.State == ListOn:
		d.refusal = v
		return true
	case d.monitored.List == nil:
		d.monitored = v
	}
	return false
}

// tenants is the tenant and the user scope.
func (d *decision) tenants() bool {
	if d.q.Tenant != "" {
		return d.tenant(d.q.Tenant) || d.user()
	}
	if d.q.Endpoint == nil {
		return false
	}
	return d.anyTenant(d.t.tenantsOf(d.q.Endpoint))
}

func (d *decision) tenant(id string) bool {
	ts := d.t.tenants.Get(id)
	if ts == nil || d.q.Endpoint != nil && !d.q.Endpoint.Serves(id) {
		d.refusal = Verdict{Reason: UnknownTenant, Scope: ScopeTenant, Tenant: id}
		return true
	}
	if d.t.State.closed(d.q.Endpoint) && ts.unlisted(d.resource) {
		d.refusal = Verdict{Reason: NoList, Scope: ScopeTenant, Tenant: id}
		return true
	}
	return d.lists(ts.lists, ScopeTenant, id)
}

func (d *decision) user() bool {
	if d.q.User == "" {
		return false
	}
	return d.lists(d.t.tenants.Get(d.q.Tenant).users[d.q.User], ScopeUser, d.q.Tenant)
}

// anyTenant passes where one tenant does. One that only monitors its refusal
// passes too, unless another admits outright.
func (d *decision) anyTenant(ids []string) bool {
	if len(ids) == 0 {
		return d.noTenant()
	}
	before := *d
	var soft *decision
	for _, id := range ids {
		*d = before
		switch refused := d.tenant(id); {
		case !refused && d.monitored == before.monitored:
			return false
		case !refused && soft == nil:
			monitored := *d
			soft = &monitored
		}
	}
	if soft != nil {
		*d = *soft
		return false
	}
	if len(ids) > 1 {
		d.refusal = Verdict{Reason: NotListed, Scope: ScopeTenant}
	}
	return true
}

// noTenant is the tenant scope of a service without tenants: its own list
// stands for theirs.
func (d *decision) noTenant() bool {
	ep := d.q.Endpoint
	if d.t.State.closed(ep) && !ep.Policies.counts() {
		d.refusal = Verdict{Reason: NoList, Scope: ScopeEndpoint}
		return true
	}
	return false
}
