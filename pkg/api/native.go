package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/front"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// Runtime is what of a running agent the API tells about, and has it do, beside
// what is in the policy. Its methods are called from many goroutines.
type Runtime interface {
	// Status is everything but what can be read out of the table.
	Status(context.Context) (Status, error)
	// Traffic is what was counted, by endpoint.
	Traffic() (map[string]Traffic, error)
	// DropLists gives up the orphaned lists of a file and names them.
	DropLists(ctx context.Context, owner string, by Order) ([]string, error)
	// Reload reads the files now. Of the lists it cedes, files' take the place of
	// the store's.
	Reload(ctx context.Context, by Order, cede ...policy.Place) error
}

// Order is who has the agent do something with its files, and why.
type Order struct {
	Author policy.Author
	Reason string
	Told   *policy.Told
	Force  bool
}

// order is what a request has the agent do, in the journal's word.
func (q *request) order(action string) Order {
	return Order{
		Author: q.call.Author(), Reason: q.call.Reason, Force: q.call.Force,
		Told: &policy.Told{Action: action, Trace: q.call.Trace, Forced: q.call.Force},
	}
}

// Config is what the native API is made of.
type Config struct {
	Control   *control.Service
	Runtime   Runtime
	Events    *Feed
	Limits    body.Limits
	Published []v1.Published
	Version   string // the agent's
	Log       *slog.Logger
}

// native is the native API: thin over the control plane.
type native struct{ Config }

var _ v1.ServerInterface = (*native)(nil)

// Way is how the native API speaks with its callers.
func Way() *front.Way {
	return &front.Way{
		Origin: "api", Challenge: `Bearer realm="postern"`, Open: isPublic,
		Envelope: func(r *http.Request, no *front.Refusal) (string, any) {
			p := problem(r, no.Status, no.Word, no.Message)
			p.Trace, p.RetryAfter = no.Trace, int(no.RetryAfter.Seconds())
			return problemType, p
		},
	}
}

// isPublic reports whether a request needs no caller: it asks for what anybody may
// read.
func isPublic(r *http.Request) bool {
	switch r.URL.Path {
	case v1.Base + "/openapi.yaml", v1.Base + "/openapi.json", v1.Base + "/published":
		return r.Method == http.MethodGet || r.Method == http.MethodHead
	}
	return false
}

// New is the native API, to stand behind a front.
func New(c Config) http.Handler {
	n := &native{c}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { nothing(w, r, allowed(mux, r)) })
	return v1.PlainListNames(v1.HandlerWithOptions(n, v1.StdHTTPServerOptions{
		BaseURL: v1.Base, BaseRouter: mux,
		ErrorHandlerFunc: func(w http.ResponseWriter, r *http.Request, err error) {
			writeProblem(w, problem(r, http.StatusBadRequest, "invalid", err.Error()))
		},
	}))
}

// nothing refuses a path that there is not, or a method that its path does not have.
func nothing(w http.ResponseWriter, r *http.Request, allowed []string) {
	if len(allowed) == 0 {
		writeProblem(w, problem(r, http.StatusNotFound, "not-found", r.Method+" "+r.URL.Path+": there is nothing here"))
		return
	}
	methods := strings.Join(allowed, ", ")
	w.Header().Set("Allow", methods)
	writeProblem(w, problem(r, http.StatusMethodNotAllowed, "method-not-allowed", r.Method+" is nothing to do here; there is "+methods))
}

// allowed are the methods that mux has for the path of a request.
func allowed(mux *http.ServeMux, r *http.Request) []string {
	var found []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost, http.MethodPut} {
		asked := *r
		asked.Method = method
		if _, pattern := mux.Handler(&asked); pattern != "/" {
			found = append(found, method)
		}
	}
	return found
}
