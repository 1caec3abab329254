// Package gate settles on the request what packets alone cannot: who the client
// behind a proxy is, and which of several tenants is meant. It lets the request
// through, or answers 403 naming the address it judged and the organisation.
//
// A Gate is net/http middleware; a Server puts one in front of each endpoint
// that has an upstream.
package gate

import (
	"net/http"
	"sync/atomic"

	"github.com/postern-io/postern/pkg/policy"
)

// Config is what a Gate tells others.
type Config struct {
	// Observe is told of every decision, on the request's own goroutine: it
	// must be safe for many at once, and not block. Nil: nobody is told.
	Observe func(Decision)
}

// Gate judges requests by the policy in force. Until there is one, it answers
// 503.
type Gate struct {
	observe func(Decision)
	state   atomic.Pointer[state]
}

// state is what is known of the policy. A lost one still says which endpoints
// only monitor.
type state struct {
	table *policy.Table
	lost  bool
}

// New is a Gate without a policy.
func New(c Config) *Gate {
	g := &Gate{observe: c.Observe}
	if g.observe == nil {
		g.observe = func(Decision) {}
	}
	g.state.Store(&state{lost: true})
	return g
}

// Set puts t in force for every request from now on. Nil says that no policy can
// be had: whoever enforces answers 503, whoever only monitors lets through. It is
// not for use by two goroutines.
func (g *Gate) Set(t *policy.Table) {
	if t == nil {
		g.state.Store(&state{table: g.state.Load().table, lost: true})
		return
	}
	g.state.Store(&state{table: t})
}

// Handler guards next as the endpoint of that name, whatever the table in force
// says of it. It goes by the request's RemoteAddr, so nothing may stand before it
// that rewrites that; and it leaves the request's headers alone, so next learns
// the client from DecisionOf, never from them.
func (g *Gate) Handler(endpoint string, next http.Handler) http.Handler {
	return &handler{gate: g, endpoint: endpoint, next: next}
}
