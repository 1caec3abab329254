package gate

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// drainTime is what a request under way gets when its endpoint is taken away.
const drainTime = 30 * time.Second

// front is one listener, and where its requests go at present.
type front struct {
	listener net.Listener
	server   *http.Server
	route    atomic.Pointer[route]
}

// newFront serves l by r. Headers are bounded in size and time, and so is an
// idle connection; a body is not: an upload or a stream may last.
func newFront(l net.Listener, r *route, log *slog.Logger) *front {
	f := &front{listener: l}
	f.route.Store(r)
	f.server = &http.Server{
		Handler:                      f,
		ReadHeaderTimeout:            10 * time.Second,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               64 << 10,
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is judged like the rest
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return f
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.route.Load().handler.ServeHTTP(w, r)
}

// end lets requests under way finish, until ctx does.
func (f *front) end(ctx context.Context) {
	if f.server.Shutdown(ctx) != nil {
		f.server.Close()
	}
}

// route is an endpoint and its upstream, with the handler between.
type route struct {
	endpoint, upstream string
	handler            http.Handler
}

// leads reports whether r is still what ep says.
func (r *route) leads(ep *policy.Endpoint) bool {
	return r.endpoint == ep.Name && r.upstream == ep.HTTP.Upstream
}

func (s *Server) newRoute(ep *policy.Endpoint) (*route, error) {
	upstream, err := url.Parse(ep.HTTP.Upstream)
	if err != nil {
		return nil, fmt.Errorf("upstream: %w", err)
	}
	proxy := newProxy(upstream, s.transport, s.log.With("endpoint", ep.Name, "upstream", ep.HTTP.Upstream))
	return &route{ep.Name, ep.HTTP.Upstream, s.gate.Handler(ep.Name, proxy)}, nil
}
