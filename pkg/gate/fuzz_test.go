package gate

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

var refusalForm = regexp.MustCompile(`^IP not whitelisted\. Found x-forwarded-for header: (none|[0-9a-f:.]+), orgId: (none|acme|globex|open)$`)

// Whatever stands in the headers, the answer is a verdict, and no byte of theirs
// is in it.
func FuzzHandler(f *testing.F) {
	f.Add("192.0.2.1:1", "acme.example.com", "X-Forwarded-For", "203.0.113.7")
	f.Add("192.0.2.1:1", "x", "X-Forwarded-For", "<script>alert(1)</script>")
	f.Add("192.0.2.1:1", "x", "X-Forwarded-For", "1.1.1.1\r\nSet-Cookie: a=b")
	f.Add("192.0.2.1:1", "[::1]:1", "X-Trace-Id", "a\r\nb")
	f.Add("@", "", "Accept", "text/plain;q=0.1,*/*")
	f.Add("127.0.0.1:1", "\x00", "Connection", "X-Forwarded-For")
	g := New(Config{})
	g.Set(compile(f, towns(f)))
	f.Fuzz(func(t *testing.T, remote, host, name, value string) {
		for _, endpoint := range []string{"acme", "acme-strict", "acme-exempt", "both", "all", "own", "health"} {
			r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
			r.RemoteAddr, r.Host = remote, host
			r.Header[http.CanonicalHeaderKey(name)] = strings.Split(value, "\n")
			w := httptest.NewRecorder()
			g.Handler(endpoint, through).ServeHTTP(w, r)
			verify(t, w)
		}
	})
}

func verify(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	switch body := w.Body.String(); w.Code {
	case http.StatusOK:
	case http.StatusBadRequest:
		if !strings.Contains(body, "the Host holds control characters") {
			t.Errorf("400 %q", body)
		}
	case http.StatusForbidden:
		body = strings.TrimPrefix(body, `{"ok":false,"error":"forbidden","message":"`)
		if body = strings.TrimSuffix(body, `"}`); !refusalForm.MatchString(body) {
			t.Errorf("403 %q", body)
		}
		if id := w.Header().Get("X-Trace-Id"); !isTrace(id) {
			t.Errorf("X-Trace-Id %q", id)
		}
	default:
		t.Errorf("%d %q", w.Code, body)
	}
}
