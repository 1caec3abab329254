package dialect

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/api/front"
)

// Operation does what a request asks for, and answers it unless it fails.
type Operation func(w http.ResponseWriter, r *http.Request) error

// Handler is an API by the paths and methods it knows. What it refuses is worded
// by its way.
type Handler struct {
	way *front.Way
	mux *http.ServeMux
}

// NewHandler is an API of these operations: by their paths, as ServeMux has them,
// and then by their methods. HEAD is a GET.
func NewHandler(way *front.Way, operations map[string]map[string]Operation) *Handler {
	h := &Handler{way, http.NewServeMux()}
	for path, methods := range operations {
		h.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, methods) })
	}
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.refuse(w, r, &front.Refusal{Status: http.StatusNotFound, Word: "not-found", Message: r.URL.Path + ": there is nothing here"})
	})
	return h
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, methods map[string]Operation) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	operation, ok := methods[method]
	if !ok {
		allowed := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
		w.Header().Set("Allow", allowed)
		h.refuse(w, r, &front.Refusal{
			Status: http.StatusMethodNotAllowed, Word: "method-not-allowed",
			Message: r.Method + " is nothing to do here; there is " + allowed,
		})
		return
	}
	if err := operation(w, r); err != nil {
		h.refuse(w, r, err)
	}
}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	no := Refusal(err, front.CallOf(r.Context()).Trace)
	if no.Status == http.StatusInternalServerError {
		front.Failed(r, err)
	}
	h.way.Refuse(w, r, no)
}
