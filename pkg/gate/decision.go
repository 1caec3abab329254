package gate

import (
	"context"
	"net/netip"

	"github.com/postern-io/postern/pkg/gate/clientip"
	"github.com/postern-io/postern/pkg/policy"
)

// Decision is what the gate made of one request.
type Decision struct {
	Endpoint string
	Tenant   string     // "": none, or unknown
	Peer     netip.Addr // the socket's
	Client   netip.Addr // whom the request speaks for; invalid: nobody could be determined
	Found    clientip.Found
	Vouched  bool // Peer is a declared proxy
	// Unknown says that there was no policy to judge by; of Verdict, only
	// Enforced then means anything.
	Unknown bool
	Verdict policy.Verdict
	Trace   string // of a refused request, as its X-Trace-Id
}

// Refused reports whether the request was turned away.
func (d *Decision) Refused() bool { return !d.Verdict.Allow && d.Verdict.Enforced }

type decisionKey struct{}

// DecisionOf is the decision that let a request through, from its context.
func DecisionOf(ctx context.Context) (d Decision, ok bool) {
	d, ok = ctx.Value(decisionKey{}).(Decision)
	return d, ok
}
