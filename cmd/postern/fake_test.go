package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/api/v1/contract"
)

// exchange is a request that a command makes, and the answer to it.
type exchange struct {
	ask    string // METHOD path-below-the-base?query, then the body in a line of its own
	status int    // 0: 200
	say    string
}

// fake is an agent that answers what a script says. Requests and answers are held
// to the API's document.
type fake struct {
	t        *testing.T
	mu       sync.Mutex
	script   []exchange
	settings struct{ ifMatch, authorization []string }
	url      string
}

// documented is the API's document, for requests and for answers.
type documented struct {
	requests *openapi3.T
	answers  *contract.Contract
}

func readDocument(t *testing.T) documented {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(v1.YAML)
	if err != nil {
		t.Fatal(err)
	}
	return documented{doc, contract.Load(t)}
}

func newFake(t *testing.T, d documented, script ...exchange) *fake {
	t.Helper()
	f := &fake{t: t, script: script}
	mux := http.NewServeMux()
	for path, item := range d.requests.Paths.Map() {
		for method, op := range item.Operations() {
			route := &routers.Route{Spec: d.requests, Path: path, PathItem: item, Method: method, Operation: op}
			mux.HandleFunc(method+" "+v1.Base+path, func(w http.ResponseWriter, r *http.Request) { f.serve(route, w, r) })
		}
	}
	server := httptest.NewServer(d.answers.Judge(t, mux))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fake) serve(route *routers.Route, w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.validate(route, r)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		f.t.Error(err)
	}
	asked := strings.TrimSuffix(r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), v1.Base)+"\n"+string(body), "\n")
	f.settings.ifMatch = append(f.settings.ifMatch, r.Header.Get("If-Match")+r.Header.Get("If-None-Match"))
	f.settings.authorization = append(f.settings.authorization, r.Header.Get("Authorization"))
	next := exchange{status: http.StatusInternalServerError, say: refusal("internal", "it is not in the script")}
	if len(f.script) > 0 {
		next, f.script = f.script[0], f.script[1:]
	}
	if diff := cmp.Diff(next.ask, asked); diff != "" {
		f.t.Errorf("the request is (+), and not (-):\n%s", diff)
	}
	f.answer(w, next)
}

// validate holds a request to the document.
func (f *fake) validate(route *routers.Route, r *http.Request) {
	in := &openapi3filter.RequestValidationInput{
		Request: r, Route: route, PathParams: map[string]string{},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true},
	}
	for _, part := range strings.Split(route.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			in.PathParams[name] = r.PathValue(name)
		}
	}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
		f.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
}

func (f *fake) answer(w http.ResponseWriter, e exchange) {
	h := w.Header()
	h.Set("X-Trace-Id", "4bf92f3577b34da6")
	h.Set("X-Postern-Revision", "42")
	h.Set("X-Postern-Enforced", "true")
	h.Set("ETag", `"9f86"`)
	switch {
	case e.status >= 400:
		h.Set("Content-Type", "application/problem+json")
	case strings.HasPrefix(e.say, "data: "):
		h.Set("Content-Type", "text/event-stream")
	case strings.Count(e.say, "\n") > 0:
		h.Set("Content-Type", "application/x-ndjson")
	case strings.HasPrefix(e.say, "{"):
		h.Set("Content-Type", "application/json")
	default:
		h.Set("Content-Type", "application/yaml")
	}
	if e.status == http.StatusNoContent {
		h.Del("Content-Type")
	}
	if e.status != 0 {
		w.WriteHeader(e.status)
	}
	io.WriteString(w, e.say)
}

// refusal is a problem's JSON; more is of its other members.
func refusal(kind, detail string, more ...string) string {
	return fmt.Sprintf(`{"type":"urn:postern:%s","title":"No","status":409,"detail":%q,"instance":"/","trace":"1"%s}`,
		kind, detail, strings.Join(append([]string{""}, more...), ","))
}

// typed is a command that somebody types, and what comes of it.
type typed struct {
	name   string
	args   []string
	in     string
	script []exchange
	out    string
	errs   string
	code   int
}

// run types it.
func (tt *typed) run(t *testing.T, d documented, change ...func(*console)) *fake {
	t.Helper()
	f := newFake(t, d, tt.script...)
	var out, errs bytes.Buffer
	c := &console{in: strings.NewReader(tt.in), out: &out, err: &errs, getenv: func(name string) string {
		return map[string]string{"POSTERN_API": f.url, "POSTERN_KEY": "psk_1"}[name]
	}}
	for _, set := range change {
		set(c)
	}
	if code := c.run(t.Context(), tt.args); code != tt.code {
		t.Errorf("%q ended with %d, want %d", tt.args, code, tt.code)
	}
	if diff := cmp.Diff(tt.out, out.String()); diff != "" {
		t.Errorf("stdout of %q:\n%s", tt.args, diff)
	}
	if diff := cmp.Diff(tt.errs, errs.String()); diff != "" {
		t.Errorf("stderr of %q:\n%s", tt.args, diff)
	}
	for _, e := range f.script {
		t.Errorf("%q did not ask %s", tt.args, e.ask)
	}
	for _, secret := range f.settings.authorization {
		if secret != "Bearer psk_1" {
			t.Errorf("%q showed the key %q", tt.args, secret)
		}
	}
	return f
}

// TestCommands plays every command against an agent that is held to the API's
// document, and holds that every operation there has a command.
func TestCommands(t *testing.T) {
	d := readDocument(t)
	for group, commands := range map[string][]typed{
		"lists": typedLists(t), "records": typedRecords(), "history": typedHistory(),
		"changes": typedChanges(t), "imports": typedImports(t), "agent": typedAgent(),
	} {
		t.Run(group, func(t *testing.T) {
			for _, tt := range commands {
				t.Run(tt.name, func(t *testing.T) { tt.run(t, d) })
			}
		})
	}
	programs := []string{"createToken", "getDocumentJSON", "getDocumentYAML", "getVersion", "listEntries", "listPublished"}
	if diff := cmp.Diff(programs, d.answers.Uncalled()); diff != "" && !t.Failed() {
		t.Errorf("operations without a command (+), or with one (-):\n%s", diff)
	}
}

// wrote is the answer to a change of a list.
const wrote = `{"revision":42,"enforced":true,"names":["tenants/acme/*"],"lists":[{"list":"tenants/acme/*","etag":"\"9f87\"","added":1,"changed":0,"removed":0}],"warnings":[]}`

const wroteText = "revision 42 changes\ntenants/acme/*: 1 added\n"
