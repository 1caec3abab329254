package front_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/postern-io/postern/pkg/api/front"
)

func TestHeaders(t *testing.T) {
	r := newRig(t, plain)
	for name, req := range map[string]*http.Request{
		"answered": request("", "GET /"),
		"refused":  request("11.0.0.1", "GET /"),
	} {
		h := r.ask(req).Header()
		for key, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"X-Postern-Revision": "7", "X-Postern-Enforced": "true",
		} {
			if got := h.Get(key); got != want {
				t.Errorf("%s: %s: %q, want %q", name, key, got, want)
			}
		}
		if len(h.Get("X-Trace-Id")) < 20 {
			t.Errorf("%s: trace %q", name, h.Get("X-Trace-Id"))
		}
	}
	r.handler = func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Postern-Revision", "8") }
	if got := r.ask(request("", "GET /")).Header().Get("X-Postern-Revision"); got != "8" {
		t.Errorf("the API said revision 8, the answer says %q", got)
	}
}

func TestTrace(t *testing.T) {
	r := newRig(t, plain)
	const via = "X-Forwarded-For: 10.1.0.9"
	tests := []struct {
		name, from string
		headers    []string
		kept       bool
	}{
		{"from-a-proxy", "192.0.2.1", []string{"X-Trace-Id: Case-1"}, true},
		{"of-64", "192.0.2.1", []string{"X-Trace-Id: " + strings.Repeat("a", 64)}, true},
		{"of-65", "192.0.2.1", []string{"X-Trace-Id: " + strings.Repeat("a", 65)}, false},
		{"empty", "192.0.2.1", []string{"X-Trace-Id: "}, false},
		{"with-a-newline", "192.0.2.1", []string{"X-Trace-Id: a\n"}, false},
		{"twice", "192.0.2.1", []string{"X-Trace-Id: a", "X-Trace-Id: a"}, false},
		{"from-a-stranger", "10.1.0.9", []string{"X-Trace-Id: Case-1"}, false},
		{"from-root", "", []string{"X-Trace-Id: Case-1"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := request(tt.from, "GET /", append(tt.headers, via)...)
			got := r.ask(req).Header().Get("X-Trace-Id")
			if kept := got == req.Header.Get("X-Trace-Id"); kept != tt.kept || got == "" {
				t.Errorf("trace is %q", got)
			}
		})
	}
}

func TestPanic(t *testing.T) {
	r := newRig(t, plain)
	r.handler = func(http.ResponseWriter, *http.Request) { panic("the password is swordfish") }
	w := r.ask(request("", "GET /x"))
	if got := said(w); got != `500 "internal: this should not have happened; the agent's log has the reason under trace TRACE"` {
		t.Error(got)
	}
	log := r.log.String()
	for _, want := range []string{"swordfish", w.Header().Get("X-Trace-Id"), "path=/x", "TestPanic"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: %s", want, log)
		}
	}
}

// A panic in the middle of an answer must not look like the end of one.
func TestPanicAfterTheAnswerBegan(t *testing.T) {
	r := newRig(t, plain)
	r.handler = func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("half"))
		panic("no more")
	}
	defer func() {
		if what := recover(); what != http.ErrAbortHandler {
			t.Errorf("panic is %v", what)
		}
	}()
	r.ask(request("", "GET /"))
}

func TestStreamsFlush(t *testing.T) {
	r := newRig(t, plain)
	more := make(chan struct{})
	r.handler = func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("first\n"))
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-more
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.front.ServeHTTP(w, request("", "GET /"))
	}))
	defer server.Close()
	defer close(more)
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); line != "first\n" {
		t.Errorf("%q, %v", line, err)
	}
	if resp.Header.Get("X-Postern-Revision") != "7" {
		t.Errorf("headers are %v", resp.Header)
	}
}

// TestEnvelopes has every refusal worded as three APIs do.
func TestEnvelopes(t *testing.T) {
	type object map[string]any
	ways := map[string]func(*http.Request, *front.Refusal) (string, any){
		"problem": func(r *http.Request, no *front.Refusal) (string, any) {
			return "application/problem+json", object{"type": "urn:postern:" + no.Word, "status": no.Status, "detail": no.Message, "instance": r.URL.Path, "trace": no.Trace}
		},
		"odata": func(_ *http.Request, no *front.Refusal) (string, any) {
			return "application/json", object{"error": object{"code": no.Status, "message": object{"lang": "en-US", "value": no.Message}}}
		},
		"ok-false": func(_ *http.Request, no *front.Refusal) (string, any) {
			return "application/json", object{"ok": false, "error": no.Word, "message": no.Message}
		},
	}
	notListed := text + "11.0.0.1, orgId: none"
	want := map[string]map[string]string{
		"problem": {
			"not-listed":      `{"detail":"` + notListed + `","instance":"/x","status":403,"trace":"TRACE","type":"urn:postern:not-listed"}`,
			"unauthenticated": `{"detail":"credentials are missing","instance":"/x","status":401,"trace":"TRACE","type":"urn:postern:unauthenticated"}`,
			"unavailable":     `{"detail":"policy unknown","instance":"/x","status":503,"trace":"TRACE","type":"urn:postern:unavailable"}`,
			"too-many":        `{"detail":"5 requests in 1h0m0s are allowed; try again in 3600 seconds","instance":"/x","status":429,"trace":"TRACE","type":"urn:postern:too-many"}`,
		},
		"odata": {
			"not-listed":      `{"error":{"code":403,"message":{"lang":"en-US","value":"` + notListed + `"}}}`,
			"unauthenticated": `{"error":{"code":401,"message":{"lang":"en-US","value":"credentials are missing"}}}`,
			"unavailable":     `{"error":{"code":503,"message":{"lang":"en-US","value":"policy unknown"}}}`,
			"too-many":        `{"error":{"code":429,"message":{"lang":"en-US","value":"5 requests in 1h0m0s are allowed; try again in 3600 seconds"}}}`,
		},
		"ok-false": {
			"not-listed":      `{"error":"not-listed","message":"` + notListed + `","ok":false}`,
			"unauthenticated": `{"error":"unauthenticated","message":"credentials are missing","ok":false}`,
			"unavailable":     `{"error":"unavailable","message":"policy unknown","ok":false}`,
			"too-many":        `{"error":"too-many","message":"5 requests in 1h0m0s are allowed; try again in 3600 seconds","ok":false}`,
		},
	}
	for name, envelope := range ways {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, &front.Way{Envelope: envelope})
			for range 5 {
				r.ask(request("10.0.0.1", "GET /x", bearer(r.admin)))
			}
			got := map[string]*httptest.ResponseRecorder{
				"not-listed":      r.ask(request("11.0.0.1", "GET /x")),
				"unauthenticated": r.ask(request("10.0.0.1", "GET /x")),
				"too-many":        r.ask(request("10.0.0.1", "GET /x", bearer(r.admin))),
			}
			r.table = nil
			got["unavailable"] = r.ask(request("10.0.0.1", "GET /x"))
			for word, w := range got {
				if _, body, _ := strings.Cut(said(w), " "); body != want[name][word] || !json.Valid(w.Body.Bytes()) {
					t.Errorf("%s:\ngot  %s\nwant %s", word, body, want[name][word])
				}
			}
		})
	}
}

func TestHeadHasNoBody(t *testing.T) {
	r := newRig(t, plain)
	if got := said(r.ask(request("11.0.0.1", "HEAD /"))); got != "403 " {
		t.Error(got)
	}
}
