package api

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"

	"github.com/postern-io/postern/pkg/api/serve"
	"github.com/postern-io/postern/pkg/policy"
)

// Agent is what the API tells about. Its methods are called from many
// goroutines.
type Agent interface {
	// Status is everything but what can be read out of the table.
	Status(context.Context) (Status, error)
	// Traffic is what was counted, by endpoint.
	Traffic() (map[string]Traffic, error)
	// Table is the policy in force, nil before there is one.
	Table() *policy.Table
	// DropLists gives up the orphaned lists of a file and names them.
	DropLists(ctx context.Context, owner string) ([]string, error)
}

// Server answers under /api/v1.
type Server struct {
	agent  Agent
	events *Feed
}

// NewServer returns a server for agent that tells what is published to events.
func NewServer(agent Agent, events *Feed) *Server {
	return &Server{agent: agent, events: events}
}

// Serve answers on l until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return serve.Serve(ctx, l, s.Handler())
}

// Handler is the API without a listener.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/status", only(reader, s.status))
	mux.HandleFunc("GET /api/v1/lists", only(reader, s.lists))
	mux.HandleFunc("DELETE /api/v1/lists", only(admin, s.dropLists))
	mux.HandleFunc("GET /api/v1/explain", only(reader, s.explain))
	mux.HandleFunc("GET /api/v1/events", only(reader, func(w http.ResponseWriter, r *http.Request) { s.events.stream(w, r) }))
	mux.HandleFunc("/", only(reader, nothing))
	return mux
}

func nothing(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, unanswerable(http.StatusNotFound, "%s %s: there is nothing here", r.Method, r.URL.Path))
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	st, err := s.agent.Status(r.Context())
	if err != nil {
		refuse(w, err)
		return
	}
	traffic, err := s.agent.Traffic()
	if err != nil {
		refuse(w, err)
		return
	}
	st.describe(s.agent.Table(), traffic)
	answer(w, st)
}

func (s *Server) lists(w http.ResponseWriter, r *http.Request) {
	t := s.table(w)
	if t == nil {
		return
	}
	q := r.URL.Query()
	tenant, orphaned := q.Get("tenant"), q.Get("orphaned") == "true"
	answer(w, Lists{Lists: find(t, func(at policy.Place, l *policy.List) bool {
		return (tenant == "" || tenant == at.Tenant) && (!orphaned || l.Orphaned)
	})})
}

// dropLists gives up the lists of one file that is gone. It names the file
// rather than taking "all": what was restricting would stop.
func (s *Server) dropLists(w http.ResponseWriter, r *http.Request) {
	owner := r.URL.Query().Get("owner")
	if owner == "" {
		writeProblem(w, unanswerable(http.StatusBadRequest, "drop lists: want ?owner=FILE, the file that is gone"))
		return
	}
	names, err := s.agent.DropLists(r.Context(), owner)
	if err != nil {
		writeProblem(w, unanswerable(http.StatusConflict, "%v", err))
		return
	}
	answer(w, Dropped{Lists: names})
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	t := s.table(w)
	if t == nil {
		return
	}
	q := r.URL.Query()
	x, err := Explain(t, Question{
		Address: q.Get("address"), Endpoint: q.Get("endpoint"), Tenant: q.Get("tenant"),
		User: q.Get("user"), Resource: q.Get("resource"),
	})
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, x)
}

// table is the policy in force; where there is none, the caller is told so.
func (s *Server) table(w http.ResponseWriter) *policy.Table {
	t := s.agent.Table()
	if t == nil {
		writeProblem(w, unanswerable(http.StatusServiceUnavailable, "no policy is in force yet"))
	}
	return t
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a caller that is gone needs no answer
}

func refuse(w http.ResponseWriter, err error) {
	var p *Problem
	if !errors.As(err, &p) {
		p = unanswerable(http.StatusInternalServerError, "%v", err)
	}
	writeProblem(w, p)
}
