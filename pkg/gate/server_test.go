package gate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// serving starts a Server on s's endpoints and ends it with the test.
func serving(t testing.TB, s *policy.State) (*Gate, *Server) {
	t.Helper()
	g := New(Config{})
	srv := NewServer(g, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		srv.Shutdown(ctx)
	})
	table := compile(t, s)
	g.Set(table)
	if err := srv.Apply(table); err != nil {
		t.Fatal(err)
	}
	return g, srv
}

// at is where the front for a listen address really listens.
func (s *Server) at(t testing.TB, listen string) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fronts[listen] == nil {
		t.Fatalf("nothing listens on %s", listen)
	}
	return s.fronts[listen].listener.Addr().String()
}

// proxied is an open endpoint behind a proxy on loopback. Its address is that of
// its listener, so that several do not collide.
func proxied(name, listen, upstream string) *policy.Endpoint {
	at, _, _ := net.SplitHostPort(listen)
	return &policy.Endpoint{
		Name: name, Resource: policy.AnyResource, Client: loopback,
		Destination: policy.Destination{Prefix: netip.MustParsePrefix(at + "/32")},
		Ports:       []policy.PortRange{policy.AllPorts},
		HTTP:        &policy.HTTP{Listen: listen, Upstream: upstream},
	}
}

func saying(t testing.TB, what string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, what) }))
	t.Cleanup(srv.Close)
	return srv.URL
}

func revision(endpoints ...*policy.Endpoint) *policy.State {
	return &policy.State{Endpoints: endpoints}
}

// connection is a client that writes what it likes.
type connection struct {
	net.Conn
	r *bufio.Reader
}

func dial(t testing.TB, addr string) *connection {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return &connection{c, bufio.NewReader(c)}
}

// send writes raw bytes and reads one response.
func (c *connection) send(raw string) (status int, body string, err error) {
	if _, err := io.WriteString(c, raw); err != nil {
		return 0, "", err
	}
	return c.receive()
}

func (c *connection) receive() (status int, body string, err error) {
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

const plainGet = "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n"

func TestApply(t *testing.T) {
	one, two := saying(t, "one"), saying(t, "two")
	g, srv := serving(t, revision(proxied("a", "127.0.0.1:0", one), proxied("b", "127.0.0.2:0", two)))
	apply := func(endpoints ...*policy.Endpoint) {
		t.Helper()
		table := compile(t, revision(endpoints...))
		g.Set(table)
		if err := srv.Apply(table); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(c *connection, want string) {
		t.Helper()
		if status, body, err := c.send(plainGet); err != nil || status != 200 || body != want {
			t.Fatalf("%d %q, %v; want %q", status, body, err, want)
		}
	}
	a, b := dial(t, srv.at(t, "127.0.0.1:0")), dial(t, srv.at(t, "127.0.0.2:0"))
	expect(a, "one")
	expect(b, "two")

	first := srv.fronts["127.0.0.1:0"].route.Load()
	apply(proxied("a", "127.0.0.1:0", one), proxied("b", "127.0.0.2:0", two))
	if srv.fronts["127.0.0.1:0"].route.Load() != first {
		t.Error("a revision that changes nothing replaced the route")
	}
	apply(proxied("a", "127.0.0.1:0", two), proxied("b", "127.0.0.2:0", two))
	expect(a, "two") // another upstream, the same connection
	apply(proxied("renamed", "127.0.0.1:0", two), proxied("b", "127.0.0.2:0", two))
	expect(a, "two") // another endpoint, the same connection

	port := srv.at(t, "127.0.0.1:0")
	apply(proxied("renamed", port, one), proxied("b", "127.0.0.2:0", two))
	expect(dial(t, port), "one") // a listener in the place of one that goes

	gone := port
	apply(proxied("b", "127.0.0.2:0", two), proxied("c", "127.0.0.3:0", one))
	if c, err := net.Dial("tcp", gone); err == nil {
		c.Close()
		t.Error("a removed endpoint still listens")
	}
	expect(b, "two")
	expect(dial(t, srv.at(t, "127.0.0.3:0")), "one")
}

// A request under way when its endpoint goes is answered.
func TestApplyDrains(t *testing.T) {
	arrived, release := make(chan bool), make(chan bool)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- true
		<-release
		io.WriteString(w, "late")
	}))
	t.Cleanup(upstream.Close)
	_, srv := serving(t, revision(proxied("a", "127.0.0.1:0", upstream.URL)))
	c := dial(t, srv.at(t, "127.0.0.1:0"))
	if _, err := io.WriteString(c, plainGet); err != nil {
		t.Fatal(err)
	}
	<-arrived
	if err := srv.Apply(compile(t, revision())); err != nil {
		t.Fatal(err)
	}
	close(release)
	if status, body, err := c.receive(); err != nil || status != 200 || body != "late" {
		t.Errorf("%d %q, %v; want 200 late", status, body, err)
	}
}

// Shutdown waits for a request, but not past its context.
func TestShutdown(t *testing.T) {
	arrived, release := make(chan bool), make(chan bool)
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- true
		<-release
	}))
	t.Cleanup(upstream.Close)
	t.Cleanup(func() { close(release) })
	_, srv := serving(t, revision(proxied("a", "127.0.0.1:0", upstream.URL)))
	addr := srv.at(t, "127.0.0.1:0")
	c := dial(t, addr)
	if _, err := io.WriteString(c, plainGet); err != nil {
		t.Fatal(err)
	}
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	srv.Shutdown(ctx)
	if ctx.Err() == nil {
		t.Error("Shutdown did not wait for the request")
	}
	if _, _, err := c.receive(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the request outlived Shutdown: %v", err)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("still listening")
	}
}

func TestApplyErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	busy, up := taken.Addr().String(), saying(t, "up")
	srv := NewServer(New(Config{}), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { srv.Shutdown(context.Background()) })
	table := compile(t, revision(
		proxied("good", "127.0.0.2:0", up),
		proxied("busy", busy, up),
		proxied("syntax", "127.0.0.4:0", "http://%"),
	))
	want := strings.Join([]string{
		fmt.Sprintf("endpoint busy: listen tcp %s: bind: address already in use", busy),
		`endpoint syntax: upstream: parse "http://%": invalid URL escape "%"`,
	}, "\n")
	if err := srv.Apply(table); err == nil || err.Error() != want {
		t.Errorf("Apply:\n%v\nwant\n%s", err, want)
	}
	srv.at(t, "127.0.0.2:0") // the good one listens

	taken.Close()
	table = compile(t, revision(proxied("busy", busy, up)))
	if err := srv.Apply(table); err != nil {
		t.Errorf("once the address is free: %v", err)
	}
}

// A listener that breaks is opened again by the next Apply.
func TestBrokenListener(t *testing.T) {
	g, srv := serving(t, revision(proxied("a", "127.0.0.1:0", saying(t, "up"))))
	srv.mu.Lock()
	srv.fronts["127.0.0.1:0"].listener.Close()
	srv.mu.Unlock()
	gone := func() bool {
		srv.mu.Lock()
		defer srv.mu.Unlock()
		return srv.fronts["127.0.0.1:0"] == nil
	}
	for deadline := time.Now().Add(5 * time.Second); !gone(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the broken listener is still kept")
		}
	}
	if err := srv.Apply(g.state.Load().table); err != nil {
		t.Fatal(err)
	}
	if status, _, err := dial(t, srv.at(t, "127.0.0.1:0")).send(plainGet); err != nil || status != 200 {
		t.Errorf("%d, %v", status, err)
	}
}
