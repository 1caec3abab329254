package gate

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/postern-io/postern/pkg/policy"
)

// seen is what an upstream got to see of a request.
type seen struct {
	Method, URI, Host string
	Header            http.Header
	Trailer           http.Header
	Body              string
}

// reflecting is an upstream that answers with what it saw.
func reflecting(t testing.TB) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Del("Accept-Encoding")
		json.NewEncoder(w).Encode(seen{r.Method, r.RequestURI, r.Host, r.Header, r.Trailer, string(body)})
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// guarded is a proxied endpoint that admits 203.0.113.0/24, and from loopback
// believes X-Forwarded-For; it is the address to connect to.
func guarded(t testing.TB, upstream string) string {
	ep := proxied("portal", "127.0.0.1:0", upstream)
	ep.Policies = list(t, "203.0.113.0/24")
	_, srv := serving(t, revision(ep))
	return srv.at(t, "127.0.0.1:0")
}

func TestUpstreamSees(t *testing.T) {
	ours := func(more ...string) http.Header {
		h := http.Header{
			"X-Forwarded-For":   {"203.0.113.7"},
			"X-Forwarded-Host":  {"x"},
			"X-Forwarded-Proto": {"http"},
		}
		for _, line := range more {
			name, value, _ := strings.Cut(line, ": ")
			h[name] = append(h[name], value)
		}
		return h
	}
	addr := guarded(t, reflecting(t))
	const xff = "X-Forwarded-For: 6.6.6.6, 203.0.113.7\r\n"
	for _, tt := range []struct {
		name, raw string
		want      seen
	}{
		{"ours", "GET /a HTTP/1.1\r\nHost: x\r\n" + xff + "\r\n", seen{Method: "GET", URI: "/a", Host: "x", Header: ours()}},
		{
			"every-spelling-stripped",
			"GET / HTTP/1.1\r\nHost: x\r\n" + xff +
				"Forwarded: for=1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\nX-Forwarded: 1\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Server: 1\r\n" +
				"X_Forwarded_For: 1.1.1.1\r\nX.Forwarded.For: 1.1.1.1\r\nx_real_ip: 1.1.1.1\r\nX-Forwarded_Host: 1\r\n\r\n",
			seen{Method: "GET", URI: "/", Host: "x", Header: ours()},
		},
		{
			"connection-names-ours",
			"GET / HTTP/1.1\r\nHost: x\r\nConnection: X-Forwarded-For, X-Forwarded-Host\r\n" + xff + "\r\n",
			seen{Method: "GET", URI: "/", Host: "x", Header: ours()},
		},
		{
			"hop-by-hop",
			"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 1\r\nProxy-Authorization: 1\r\nX-End: 1\r\n" + xff + "\r\n",
			seen{Method: "GET", URI: "/", Host: "x", Header: ours("X-End: 1")},
		},
		{
			"scheme-of-a-declared-proxy",
			"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\n" + xff + "\r\n",
			seen{Method: "GET", URI: "/", Host: "x", Header: func() http.Header {
				h := ours()
				h.Set("X-Forwarded-Proto", "https")
				return h
			}()},
		},
		{
			"scheme-is-a-scheme",
			"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: javascript\r\n" + xff + "\r\n",
			seen{Method: "GET", URI: "/", Host: "x", Header: ours()},
		},
		{
			"the-very-bytes",
			"GET //a/../%2e%2F;b?q=%zz;&x HTTP/1.1\r\nHost: x\r\n" + xff + "\r\n",
			seen{Method: "GET", URI: "//a/../%2e%2F;b?q=%zz;&x", Host: "x", Header: ours()},
		},
		{
			"absolute-form",
			"GET http://y/z HTTP/1.1\r\nHost: x\r\n" + xff + "\r\n",
			seen{Method: "GET", URI: "/z", Host: "y", Header: func() http.Header {
				h := ours()
				h.Set("X-Forwarded-Host", "y")
				return h
			}()},
		},
		{
			"body-without-trailer",
			"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Forwarded-For, X-Sum\r\n" + xff +
				"\r\n4\r\nbody\r\n0\r\nX-Forwarded-For: 1.1.1.1\r\nX-Sum: 1\r\n\r\n",
			seen{Method: "POST", URI: "/", Host: "x", Header: ours(), Body: "body"},
		},
		{
			"two-lengths-are-one-body",
			"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" + xff + "\r\n4\r\nbody\r\n0\r\n\r\n",
			seen{Method: "POST", URI: "/", Host: "x", Header: ours(), Body: "body"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body, err := dial(t, addr).send(tt.raw)
			if err != nil || status != 200 {
				t.Fatalf("%d %q, %v", status, body, err)
			}
			var got seen
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("upstream saw (-want +got):\n%s", diff)
			}
		})
	}
}

// What is no proper request never reaches the upstream, and what is refused does
// not either.
func TestUpstreamIsSpared(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("upstream got %s %s", r.Method, r.RequestURI)
	}))
	t.Cleanup(upstream.Close)
	addr := guarded(t, upstream.URL)
	const listed = "X-Forwarded-For: 203.0.113.7\r\n"
	for _, tt := range []struct {
		name, raw string
		status    int
		body      string // "": net/http's own words
	}{
		{"refused", "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n", 403, text + "6.6.6.6, orgId: none"},
		{"refused-by-the-last-line", "GET / HTTP/1.1\r\nHost: x\r\n" + listed + "X-Forwarded-For: 6.6.6.6\r\n\r\n", 403, text + "6.6.6.6, orgId: none"},
		{"without-address", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 403, text + "none, orgId: none"},
		{"underscore", "GET / HTTP/1.1\r\nHost: x\r\nX_Forwarded_For: 203.0.113.7\r\n\r\n", 403, text + "none, orgId: none"},
		{"folded-line", "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\n , 6.6.6.6\r\n\r\n", 403, text + "6.6.6.6, orgId: none"},
		{"space-before-colon", "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For : 203.0.113.7\r\n\r\n", 400, ""},
		{"bare-cr", "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\rX: y\r\n\r\n", 400, ""},
		{"nul", "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\x00\r\n\r\n", 400, ""},
		{"two-hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n" + listed + "\r\n", 400, ""},
		{"no-host", "GET / HTTP/1.1\r\n" + listed + "\r\n", 400, ""},
		{"control-in-host", "GET / HTTP/1.1\r\nHost: x\x01\r\n" + listed + "\r\n", 400, ""},
		{"two-lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n" + listed + "\r\nab", 400, ""},
		{"negative-length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n" + listed + "\r\n", 400, ""},
		{"other-coding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n" + listed + "\r\n", 501, ""},
		{"huge-header", "GET / HTTP/1.1\r\nHost: x\r\n" + listed + "X: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", 431, ""},
		{"connect", "CONNECT x:25 HTTP/1.1\r\nHost: x\r\n" + listed + "\r\n", 405, "only a path can be asked for here"},
		{"options-star", "OPTIONS * HTTP/1.1\r\nHost: x\r\n" + listed + "\r\n", 405, "only a path can be asked for here"},
		{"options-star-refused", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 403, text + "none, orgId: none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body, err := dial(t, addr).send(tt.raw)
			if err != nil || status != tt.status || tt.body != "" && body != tt.body {
				t.Errorf("%d %q, %v; want %d %q", status, body, err, tt.status, tt.body)
			}
		})
	}
}

// A request hidden in another's body is judged on its own, or not read at all.
func TestSmuggled(t *testing.T) {
	addr := guarded(t, saying(t, "through"))
	inner := "GET /inner HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"
	outer := fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", len(inner)+5)
	c := dial(t, addr)
	if status, _, err := c.send(outer + inner); err != nil || status != 200 {
		t.Fatalf("outer: %d, %v", status, err)
	}
	if status, body, err := c.receive(); err == nil && status != http.StatusForbidden {
		t.Errorf("inner: %d %q", status, body)
	}
}

// A refused client cannot hold its connection by withholding the body.
func TestRefusedBeforeTheBody(t *testing.T) {
	c := dial(t, guarded(t, saying(t, "through")))
	status, _, err := c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
	if err != nil || status != http.StatusForbidden {
		t.Fatalf("%d, %v", status, err)
	}
	if _, err := c.r.ReadByte(); err != io.EOF {
		t.Errorf("the connection stays: %v", err)
	}
}

// One that sends its body keeps it, and is judged anew.
func TestRefusedWithItsBody(t *testing.T) {
	c := dial(t, guarded(t, saying(t, "through")))
	for i := range 3 {
		status, _, err := c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
		if err != nil || status != http.StatusForbidden {
			t.Fatalf("%d: %d, %v", i, status, err)
		}
	}
	if status, _, err := c.send(plainGet); err != nil || status != http.StatusOK {
		t.Errorf("%d, %v", status, err)
	}
}

func TestUpstreamDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	status, body, err := dial(t, guarded(t, "http://"+l.Addr().String())).send(plainGet)
	if err != nil || status != http.StatusBadGateway || body != "the service did not answer" {
		t.Errorf("%d %q, %v", status, body, err)
	}
}

func TestUpgrade(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		io.CopyN(c, rw, 4)
	}))
	t.Cleanup(upstream.Close)
	c := dial(t, guarded(t, upstream.URL))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n")
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%+v, %v", resp, err)
	}
	io.WriteString(c, "ping")
	got := make([]byte, 4)
	if _, err := io.ReadFull(c.r, got); err != nil || string(got) != "ping" {
		t.Errorf("%q, %v", got, err)
	}
}

// Whoever is no declared proxy does not say which scheme the client speaks.
func TestSchemeOfAStranger(t *testing.T) {
	ep := proxied("portal", "127.0.0.1:0", reflecting(t))
	ep.Client = proxies
	_, srv := serving(t, revision(ep))
	_, body, err := dial(t, srv.at(t, "127.0.0.1:0")).send("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\n\r\n")
	if err != nil || !strings.Contains(body, `"X-Forwarded-Proto":["http"]`) {
		t.Errorf("upstream saw %s, %v", body, err)
	}
}

// In monitor the upstream learns of no address where there is none.
func TestUpstreamWithoutClient(t *testing.T) {
	ep := proxied("portal", "127.0.0.1:0", reflecting(t))
	ep.Mode = policy.Monitor
	_, srv := serving(t, revision(ep))
	_, body, err := dial(t, srv.at(t, "127.0.0.1:0")).send("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: junk\r\n\r\n")
	if err != nil || strings.Contains(body, "junk") || strings.Contains(body, "X-Forwarded-For") {
		t.Errorf("upstream saw %s, %v", body, err)
	}
}
