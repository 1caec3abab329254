// Package contract judges a server's answers by the API's document. It is for
// tests.
package contract

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	v1 "github.com/postern-io/postern/pkg/api/v1"
)

// Contract is the document, and which of its operations were called.
type Contract struct {
	doc *openapi3.T

	mu       sync.Mutex
	uncalled map[string]bool // by operation id
}

// Load reads the document.
func Load(t testing.TB) *Contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(v1.YAML)
	if err != nil {
		t.Fatal(err)
	}
	closeSchemas(doc)
	c := &Contract{doc: doc, uncalled: map[string]bool{}}
	c.each(func(_ string, op *openapi3.Operation) { c.uncalled[op.OperationID] = true })
	return c
}

// each calls f with every operation and its pattern.
func (c *Contract) each(f func(pattern string, op *openapi3.Operation)) {
	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			f(method+" "+v1.Base+path, op)
		}
	}
}

// Uncalled are the operations that no test has called, sorted.
func (c *Contract) Uncalled() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.uncalled))
}

// Judge is server, whose every answer t judges. What is no operation of the
// document must be refused as the document says refusals are.
func (c *Contract) Judge(t testing.TB, server http.Handler) http.Handler {
	mux := http.NewServeMux()
	c.each(func(pattern string, op *openapi3.Operation) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c.mu.Lock()
			delete(c.uncalled, op.OperationID)
			c.mu.Unlock()
			judge(t, op, server, w, r)
		})
	})
	stray := &openapi3.Operation{Responses: &openapi3.Responses{}}
	stray.Responses.Set("default", c.doc.Components.Responses["Refused"])
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { judge(t, stray, server, w, r) })
	return v1.PlainListNames(mux)
}

func judge(t testing.TB, op *openapi3.Operation, server http.Handler, w http.ResponseWriter, r *http.Request) {
	at := r.Method + " " + r.URL.Path
	a := &answer{ResponseWriter: w, status: http.StatusOK}
	server.ServeHTTP(a, r)
	for _, mistake := range a.mistakes(op) {
		t.Errorf("%s: %d: %s", at, a.status, mistake)
	}
}

// closeSchemas makes keys that the document does not name mistakes in answers
// too. What is one part of several stays open: the others have more.
func closeSchemas(doc *openapi3.T) {
	parts := map[*openapi3.Schema]bool{}
	for _, s := range doc.Components.Schemas {
		if len(s.Value.AllOf) > 1 {
			for _, part := range s.Value.AllOf {
				parts[part.Value] = true
			}
		}
	}
	for _, s := range doc.Components.Schemas {
		v := s.Value
		if len(v.Properties) > 0 && v.AdditionalProperties.Has == nil && !parts[v] {
			v.AdditionalProperties.Has = new(false)
		}
	}
}

// of is what the document says of an answer with this status; nil where nothing.
func of(op *openapi3.Operation, status int) *openapi3.Response {
	ref := op.Responses.Status(status)
	if ref == nil && status >= 400 {
		ref = op.Responses.Default()
	}
	if ref == nil {
		return nil
	}
	return ref.Value
}
