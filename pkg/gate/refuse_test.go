package gate

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRefusal(t *testing.T) {
	g := New(Config{})
	g.Set(compile(t, towns(t)))
	const message = text + "198.51.100.7, orgId: acme"
	const json = `{"ok":false,"error":"forbidden","message":"` + message + `"}`
	for _, tt := range []struct {
		name, method, accept    string
		body, contentType, size string
	}{
		{"text", "GET", "", message, "text/plain; charset=utf-8", "75"},
		{"head", "HEAD", "", "", "text/plain; charset=utf-8", "75"},
		{"post", "POST", "*/*", message, "text/plain; charset=utf-8", "75"},
		{"json", "GET", "application/json", json, "application/json", "120"},
		{"json-head", "HEAD", "application/json", "", "application/json", "120"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(tt.method, "/", strings.NewReader("body"))
			r.RemoteAddr = "198.51.100.7:1"
			if tt.accept != "" {
				r.Header.Set("Accept", tt.accept)
			}
			g.Handler("acme", through).ServeHTTP(w, r)
			if w.Code != http.StatusForbidden || w.Body.String() != tt.body {
				t.Errorf("%d %q, want 403 %q", w.Code, w.Body, tt.body)
			}
			for name, want := range map[string]string{
				"Content-Type": tt.contentType, "Content-Length": tt.size,
				"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %s, want %s", name, got, want)
				}
			}
			if id := w.Header().Get("X-Trace-Id"); !isTrace(id) {
				t.Errorf("X-Trace-Id: %q", id)
			}
		})
	}
}

func TestTrace(t *testing.T) {
	g := New(Config{})
	g.Set(compile(t, towns(t)))
	for _, tt := range []struct {
		name, remote string
		given        []string
		kept         bool
	}{
		{"proxys", "192.0.2.1:1", []string{"Root-1-67891233-abcdef"}, true},
		{"proxys-longest", "192.0.2.1:1", []string{strings.Repeat("a", 64)}, true},
		{"proxys-too-long", "192.0.2.1:1", []string{strings.Repeat("a", 65)}, false},
		{"proxys-empty", "192.0.2.1:1", []string{""}, false},
		{"proxys-two", "192.0.2.1:1", []string{"a", "a"}, false},
		{"proxys-other-bytes", "192.0.2.1:1", []string{"a b"}, false},
		{"strangers", "198.51.100.7:1", []string{"abc"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := ask(g, "acme-xff", tt.remote, func(r *http.Request) { r.Header["X-Trace-Id"] = tt.given })
			got := resp.Header.Get("X-Trace-Id")
			if kept := got == tt.given[0]; kept != tt.kept || !isTrace(got) {
				t.Errorf("given %q, answered %q", tt.given, got)
			}
		})
	}
}
