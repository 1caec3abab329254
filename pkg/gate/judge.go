package gate

import (
	"net/http"

	"github.com/postern-io/postern/pkg/gate/clientip"
	"github.com/postern-io/postern/pkg/policy"
)

// nobodys is a tenant that cannot exist, its name being none: asking the law
// about it keeps the order of its reasons, system before tenant.
const nobodys = "?"

// judge fills in who asks, for whom, and what the law says to that.
func (b *binding) judge(r *http.Request, d *Decision) {
	found := b.client.Resolve(d.Peer, r.Header)
	d.Client, d.Found, d.Vouched = found.Addr, found.Found, found.Vouched
	if b.endpoint == nil || b.state.lost {
		d.Unknown, d.Verdict.Enforced = true, b.mode == policy.Enforce
		return
	}
	q := policy.Query{Endpoint: b.endpoint, Addr: d.Client, TruePeer: truePeer(r, found)}
	var known bool
	if d.Tenant, known = b.tenant(r.Host); known {
		q.Tenant = d.Tenant
	} else {
		q.Tenant = nobodys
	}
	d.Verdict = b.state.table.Decide(q)
	if !known {
		d.Verdict.Tenant = ""
	}
}

// tenant is whom a request to this host is for: the endpoint's one tenant, or
// the one of its tenants that the host belongs to. A service without tenants has
// none, and knows it.
func (b *binding) tenant(host string) (id string, known bool) {
	ep := b.endpoint
	switch {
	case ep.AllTenants:
	case len(ep.Tenants) == 0:
		return "", true
	case len(ep.Tenants) == 1 && !ep.StrictHosts:
		return ep.Tenants[0], true
	}
	id, known = b.state.table.TenantByHost(canonicalHost(host))
	if !known || !ep.Serves(id) {
		return "", false
	}
	return id, true
}

// truePeer reports whether the request comes from the machine itself with no
// proxy between, as far as can be seen: break-glass is for nobody else. Only
// loopback can use it, so other requests are spared the look at every header.
func truePeer(r *http.Request, found clientip.Result) bool {
	return found.Found == clientip.AsPeer && found.Addr.IsLoopback() && !clientip.Forwarded(r.Header)
}
