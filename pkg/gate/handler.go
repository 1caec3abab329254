package gate

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/postern-io/postern/pkg/gate/clientip"
	"github.com/postern-io/postern/pkg/policy"
)

// handler guards one endpoint. It keeps the endpoint as the last request found
// it, and looks again only when the state is another.
type handler struct {
	gate     *Gate
	endpoint string
	next     http.Handler
	bound    atomic.Pointer[binding]
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if hasControl(r.Host) {
		respond(w, r, http.StatusBadRequest, "bad-request", "the Host holds control characters")
		return
	}
	b := h.bind()
	d := Decision{Endpoint: h.endpoint, Peer: clientip.ParsePeer(r.RemoteAddr)}
	if !b.state.lost && b.isHealth(r, d.Peer) {
		healthy(w, r)
		return
	}
	b.judge(r, &d)
	if d.Refused() {
		d.Trace = trace(r, d.Vouched)
	}
	if b.mode != policy.Off {
		h.gate.observe(d)
	}
	if d.Refused() {
		refuse(w, r, b, &d)
		return
	}
	h.next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), decisionKey{}, d)))
}

func (h *handler) bind() *binding {
	b, s := h.bound.Load(), h.gate.state.Load()
	if b == nil || b.state != s {
		b = newBinding(h.endpoint, s, b)
		h.bound.Store(b)
	}
	return b
}
