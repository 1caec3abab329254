package dialect

import (
	"net/http"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
)

// Handler answers a call, or says why not.
type Handler func(http.ResponseWriter, *http.Request, *control.Call) error

// Methods are what a path does, by method. HEAD is GET without the body.
type Methods map[string]Handler

// Routes serves paths, as http.ServeMux knows them.
func Routes(paths map[string]Methods, refuse Refuse) http.Handler {
	mux := http.NewServeMux()
	for path, methods := range paths {
		mux.Handle(path, methods.handler(refuse))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, &front.Refusal{Status: http.StatusNotFound, Word: "not-found", Message: "there is nothing at " + r.URL.Path})
	})
	return mux
}

func (m Methods) handler(refuse Refuse) http.Handler {
	if get, ok := m[http.MethodGet]; ok {
		m[http.MethodHead] = get
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := m.serve(w, r); err != nil {
			refuse(w, r, err)
		}
	})
}

func (m Methods) serve(w http.ResponseWriter, r *http.Request) error {
	h, ok := m[r.Method]
	if !ok {
		allowed := m.names()
		w.Header().Set("Allow", allowed)
		return &front.Refusal{Status: http.StatusMethodNotAllowed, Word: "method-not-allowed", Message: "this takes " + allowed}
	}
	c, err := call(r)
	if err != nil {
		return err
	}
	return h(w, r, c)
}

func (m Methods) names() string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
