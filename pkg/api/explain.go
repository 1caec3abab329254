package api

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/policy"
)

// Question asks whether an address may pass.
type Question struct {
	Address  string
	Endpoint string // "": the lists alone
	Tenant   string // "": any of the endpoint's
	User     string
	Resource string // "": the endpoint's
}

// Explanation is the law's answer, and what comes of it.
type Explanation struct {
	Verdict  string     `json:"verdict"`  // allow or deny
	Enforced bool       `json:"enforced"` // false: something only monitors, or nothing stands in the way
	Where    string     `json:"where"`    // kernel or gate, whichever settles it; nowhere; "" without an endpoint
	Reason   string     `json:"reason"`
	Scope    string     `json:"scope"`
	List     string     `json:"list"`
	Entry    string     `json:"entry"` // as typed
	At       policy.Pos `json:"at,omitzero"`
	Address  string     `json:"address"`
	Endpoint string     `json:"endpoint"`
	Tenant   string     `json:"tenant"`
	User     string     `json:"user,omitempty"`
	Resource string     `json:"resource,omitempty"`
}

// Explain answers q from t. Its error is a *Problem: a question that has no
// answer.
func Explain(t *policy.Table, q Question) (Explanation, error) {
	addr, err := netip.ParseAddr(q.Address)
	if err != nil || addr.Zone() != "" {
		return Explanation{}, unanswerable(400, "address %q: want one IPv4 or IPv6 address", q.Address)
	}
	pq := policy.Query{Tenant: q.Tenant, User: q.User, Resource: q.Resource, Addr: addr}
	if q.Endpoint != "" {
		if pq.Endpoint = t.State.Endpoint(q.Endpoint); pq.Endpoint == nil {
			return Explanation{}, unanswerable(404, "endpoint %q: there is none of that name", q.Endpoint)
		}
		pq.TruePeer = pq.Endpoint.Client.Source == policy.Peer
	}
	if q.User != "" && q.Tenant == "" {
		return Explanation{}, unanswerable(400, "user %q: want the tenant the user belongs to", q.User)
	}
	known := append(t.State.KnownResources(), policy.AnyResource)
	if q.Resource != "" && !slices.Contains(known, q.Resource) {
		return Explanation{}, unanswerable(404, "resource %q: there is none of that name, but %s", q.Resource, strings.Join(known, " "))
	}
	v := t.Decide(pq)
	x := explanation(q, addr, v)
	if pq.Endpoint != nil {
		x.Where = where(t, pq.Endpoint, addr, v)
		x.Enforced = x.Enforced && x.Where != nowhere
	}
	return x, nil
}

func explanation(q Question, addr netip.Addr, v policy.Verdict) Explanation {
	x := Explanation{
		Verdict: verdict(v.Allow), Enforced: v.Enforced, Reason: v.Reason.String(),
		Address: addr.String(), Endpoint: q.Endpoint,
		Tenant: q.Tenant, User: q.User, Resource: q.Resource,
	}
	if v.Scope != policy.NoScope {
		x.Scope = v.Scope.String()
	}
	if v.List != nil {
		at := policy.Place{Scope: v.Scope, Tenant: v.Tenant, User: v.User, Endpoint: q.Endpoint, Resource: v.Resource}
		x.List = at.String()
		x.At = v.List.Pos
	}
	if v.Entry != nil {
		x.Entry, x.At = v.Entry.Text, v.Entry.Pos
	}
	if x.Tenant == "" {
		x.Tenant = v.Tenant
	}
	return x
}

func verdict(allow bool) string {
	if allow {
		return "allow"
	}
	return "deny"
}

const nowhere = "nowhere"

// where says who carries v out at ep. The kernel sees a client only where
// packets come from it; what the kernel lets through the gate settles, if the
// endpoint has one.
func where(t *policy.Table, ep *policy.Endpoint, addr netip.Addr, v policy.Verdict) string {
	switch {
	case ep.Client.Source == policy.Peer && !t.DecidePacket(ep, addr).Allow:
		return "kernel"
	case ep.HTTP != nil:
		return "gate"
	case v.Allow:
		return "kernel"
	}
	return nowhere
}
