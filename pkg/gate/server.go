package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Server keeps a reverse proxy listening, guarded by a Gate, for each endpoint
// that asks for one.
type Server struct {
	gate      *Gate
	log       *slog.Logger
	transport *http.Transport

	mu     sync.Mutex
	fronts map[string]*front // by HTTP.Listen
	ending map[*front]bool   // closed by Apply, with requests under way
}

// NewServer is a Server without listeners. They decide by the table that is Set
// in g; Apply only says which of them there are.
func NewServer(g *Gate, log *slog.Logger) *Server {
	return &Server{gate: g, log: log, transport: newTransport(), fronts: map[string]*front{}, ending: map[*front]bool{}}
}

// newTransport talks to upstreams directly, whatever the environment says of
// proxies, and leaves the body's encoding alone.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   5 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// Apply makes the listeners those of t. One whose address stays, stays, with its
// connections, whatever else of its endpoint changes. One that cannot be had is
// an error and leaves the others alone; the next Apply tries it again.
func (s *Server) Apply(t *policy.Table) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := map[string]*policy.Endpoint{}
	for _, ep := range t.State.Endpoints {
		if ep.HTTP != nil && ep.HTTP.Listen != "" {
			wanted[ep.HTTP.Listen] = ep
		}
	}
	s.closeExcept(wanted) // first: an address may be part of another
	var errs []error
	for _, listen := range slices.Sorted(maps.Keys(wanted)) {
		errs = append(errs, s.serve(wanted[listen]))
	}
	return errors.Join(errs...)
}

// Shutdown closes every listener and lets the requests under way end, until ctx
// does.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	fronts := slices.AppendSeq(slices.Collect(maps.Keys(s.ending)), maps.Values(s.fronts))
	clear(s.fronts)
	s.mu.Unlock()
	var ended sync.WaitGroup
	for _, f := range fronts {
		ended.Go(func() { f.end(ctx) })
	}
	ended.Wait()
	s.transport.CloseIdleConnections()
}

// serve brings ep's front to what ep says, opening it where there is none.
func (s *Server) serve(ep *policy.Endpoint) error {
	f := s.fronts[ep.HTTP.Listen]
	if f != nil && f.route.Load().leads(ep) {
		return nil
	}
	r, err := s.newRoute(ep)
	if err != nil {
		return fmt.Errorf("endpoint %s: %w", ep.Name, err)
	}
	if f != nil {
		f.route.Store(r)
		return nil
	}
	l, err := net.Listen("tcp", ep.HTTP.Listen)
	if err != nil {
		return fmt.Errorf("endpoint %s: %w", ep.Name, err)
	}
	f = newFront(l, r, s.log)
	s.fronts[ep.HTTP.Listen] = f
	go s.run(ep.HTTP.Listen, f)
	return nil
}

// run serves f until its listener closes. One that breaks is forgotten, so that
// the next Apply opens it anew.
func (s *Server) run(listen string, f *front) {
	err := f.server.Serve(f.listener)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fronts[listen] != f {
		return // closed on purpose
	}
	delete(s.fronts, listen)
	s.log.Error("listener broke", "listen", listen, "err", err)
}

func (s *Server) closeExcept(wanted map[string]*policy.Endpoint) {
	for listen, f := range s.fronts {
		if wanted[listen] != nil {
			continue
		}
		delete(s.fronts, listen)
		f.listener.Close() // now, so that another may have the address
		s.ending[f] = true
		go s.drain(f)
	}
}

func (s *Server) drain(f *front) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	f.end(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ending, f)
}
