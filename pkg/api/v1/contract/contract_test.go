package contract

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// witness is a test that is told of mistakes.
type witness struct {
	testing.TB
	told []string
}

func (w *witness) Errorf(format string, args ...any) {
	w.told = append(w.told, fmt.Sprintf(format, args...))
}

// refusal is one that says all it must.
const refusal = `{"type":"urn:postern:not-found","title":"Not Found","status":404,"detail":"","instance":"/","trace":"1"}`

func TestJudge(t *testing.T) {
	tests := []struct {
		name, ask, kind, body string
		status                int
		want                  []string
	}{
		{"as-documented", "GET /version", "application/json", `{"version":"1","api":"1"}`, 200, nil},
		{"key-missing", "GET /version", "application/json", `{"version":"1"}`, 200, []string{
			"GET /api/v1/version: 200: $.api: property \"api\" is missing in {\"version\":\"1\"}",
		}},
		{"key-unknown", "GET /version", "application/json", `{"version":"1","api":"1","more":1}`, 200, []string{
			"GET /api/v1/version: 200: $: property \"more\" is unsupported in {\"version\":\"1\",\"api\":\"1\",\"more\":1}",
		}},
		{"no-json", "GET /version", "application/json", `{`, 200, []string{
			"GET /api/v1/version: 200: unexpected end of JSON input in {",
		}},
		{"other-type", "GET /version", "text/html", "<html>", 200, []string{
			"GET /api/v1/version: 200: the document has no body of the type text/html here",
		}},
		{"other-status", "GET /version", "application/json", `{}`, 202, []string{
			"GET /api/v1/version: 202: the document has no such status here",
		}},
		{"refusal", "GET /version", "application/problem+json", refusal, 404, nil},
		{"refusal-in-html", "GET /version", "text/html", "<html>", 500, []string{
			"GET /api/v1/version: 500: the document has no body of the type text/html here",
		}},
		{"no-such-operation", "GET /nothing", "application/problem+json", refusal, 404, nil},
		{"no-such-operation-taken", "GET /nothing", "application/json", "{}", 200, []string{
			"GET /api/v1/nothing: 200: the document has no such status here",
		}},
		{"parts-together", "POST /keys", "application/json", `{"id":"k","name":"n","type":"PERMANENT","status":"ACTIVE",` +
			`"permissions":[],"created":"2026-06-01T00:00:00Z","updated":"2026-06-01T00:00:00Z","secret":"s"}`, 201, nil},
		{"stream", "GET /events", "text/event-stream", ": watching\n\nevent: refusal\ndata: {}\n\n", 200, []string{
			"GET /api/v1/events: 200: $.time: property \"time\" is missing | $.where: property \"where\" is missing" +
				" | $.verdict: property \"verdict\" is missing | $.reason: property \"reason\" is missing in {}\n",
		}},
		{"lines", "POST /lists/system/*/import", "application/x-ndjson", "{\"line\":1}\n{\"line\":\"2\"}\n", 200, []string{
			"POST /api/v1/lists/system/*/import: 200: $.line: value must be an integer in {\"line\":\"2\"}\n",
		}},
	}
	c := Load(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &witness{TB: t}
			h := c.Judge(w, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.kind)
				w.Header().Set("X-Trace-Id", "1")
				w.Header().Set("X-Postern-Revision", "7")
				w.Header().Set("X-Postern-Enforced", "true")
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			var method, path string
			fmt.Sscan(tt.ask, &method, &path)
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, "/api/v1"+path, nil))
			if diff := cmp.Diff(tt.want, w.told); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	w := &witness{TB: t}
	h := Load(t).Judge(w, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Trace-Id", "1")
		w.Header().Set("X-Postern-Revision", "seven")
		w.WriteHeader(http.StatusNoContent)
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("DELETE", "/api/v1/keys/k", nil))
	slices.Sort(w.told)
	want := []string{
		"DELETE /api/v1/keys/k: 204: header X-Postern-Enforced: there is none",
		"DELETE /api/v1/keys/k: 204: header X-Postern-Revision: value must be an integer",
	}
	if diff := cmp.Diff(want, w.told); diff != "" {
		t.Error(diff)
	}
}

func TestUncalled(t *testing.T) {
	c := Load(t)
	before := c.Uncalled()
	h := c.Judge(&witness{TB: t}, http.NotFoundHandler())
	for _, path := range []string{"/status", "/status", "/nothing"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/api/v1"+path, nil))
	}
	want := slices.DeleteFunc(before, func(id string) bool { return id == "getStatus" })
	if diff := cmp.Diff(want, c.Uncalled()); diff != "" {
		t.Error(diff)
	}
}
