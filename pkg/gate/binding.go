package gate

import (
	"net/http"
	"net/netip"
	"slices"

	"github.com/postern-io/postern/pkg/gate/clientip"
	"github.com/postern-io/postern/pkg/policy"
)

// binding is an endpoint as one state has it, ready to judge.
type binding struct {
	state    *state
	at       int              // where it stands among the table's endpoints
	endpoint *policy.Endpoint // nil: none of that name that this gate can judge
	mode     policy.Mode
	client   *clientip.Resolver
}

func newBinding(name string, s *state, last *binding) *binding {
	b := &binding{state: s, client: clientip.New(clientip.Config{})}
	if s.table == nil {
		return b
	}
	b.mode = s.table.State.Mode
	if last != nil {
		b.at = last.at
	}
	endpoints := s.table.State.Endpoints
	if b.at = find(endpoints, name, b.at); b.at < 0 {
		return b
	}
	ep := endpoints[b.at]
	b.mode = s.table.Mode(ep)
	if config, ok := clientConfig(ep.Client, s.table.State.Unmap); ok {
		b.endpoint, b.client = ep, clientip.New(config)
	}
	return b
}

// find looks first where the endpoint stood before: most revisions change
// entries, and a host may have a great many endpoints.
func find(endpoints []*policy.Endpoint, name string, before int) int {
	named := func(ep *policy.Endpoint) bool { return ep.Name == name }
	if 0 <= before && before < len(endpoints) && named(endpoints[before]) {
		return before
	}
	return slices.IndexFunc(endpoints, named)
}

// clientConfig is c as clientip has it, where it is a source that this gate
// reads. To judge by the peer instead would judge a proxy for its clients.
func clientConfig(c policy.Client, unmap bool) (config clientip.Config, ok bool) {
	config = clientip.Config{Proxies: c.Proxies, Hops: c.Hops, Unmap: unmap}
	switch c.Source {
	case policy.Peer:
	case policy.XForwardedFor:
		config.Source = clientip.XForwardedFor
	default:
		return config, false
	}
	switch c.Exhausted {
	case policy.ExhaustedPeer:
		config.Exhausted = clientip.ThePeer
	case policy.ExhaustedLeftmost:
		config.Exhausted = clientip.Outermost
	}
	return config, true
}

// isHealth reports whether r is a check of the gate itself, which proxies and
// declared checkers may make whatever the lists say.
func (b *binding) isHealth(r *http.Request, peer netip.Addr) bool {
	if b.endpoint == nil || b.endpoint.HTTP == nil || b.endpoint.HTTP.Health == "" {
		return false
	}
	at := b.endpoint.HTTP
	return r.URL.EscapedPath() == at.Health &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		(within(at.HealthFrom, peer) || within(b.endpoint.Client.Proxies, peer))
}

func within(ps []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(a) })
}
