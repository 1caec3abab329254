package api

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/postern-io/postern/pkg/api/serve"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// start has w answer on a socket of its own until the test ends.
func start(t *testing.T, w *world, group string) (address string) {
	t.Helper()
	// A socket's path is short: it must fit into 108 bytes.
	dir, err := os.MkdirTemp("", "api")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	address = "unix://" + filepath.Join(dir, "api.sock")
	l, err := serve.Listen(address, serve.Config{Group: group})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- serve.Serve(ctx, l, w.server) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		if _, err := os.Lstat(filepath.Join(dir, "api.sock")); !os.IsNotExist(err) {
			t.Errorf("the socket is still there: %v", err)
		}
	})
	return address
}

func dial(t *testing.T, address string) *Client {
	t.Helper()
	c, err := Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientAndServer(t *testing.T) {
	w := worldOf(t, table(t))
	c, ctx := dial(t, start(t, w, "")), t.Context()

	st, err := c.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if st.Revision != 7 || st.Mode != "enforce" || len(st.Endpoints) != 4 {
		t.Errorf("status is %+v", st)
	}
	want := Endpoint{
		Name: "shared", Protocol: "tcp", Destination: "this host", Ports: []string{"9000"},
		Tenants: []string{"acme", "globex"}, Resource: "*", Client: "peer", Refuse: "drop", Mode: "enforce",
		Lists:   []string{"tenants/acme/*", "tenants/globex/*"},
		Traffic: Traffic{Drop: Volume{3, 180}},
	}
	if diff := cmp.Diff(want, st.Endpoints[2]); diff != "" {
		t.Error(diff)
	}

	ls, err := c.Lists(ctx, "acme")
	if err != nil {
		t.Fatal(err)
	}
	if len(ls.Lists) != 2 {
		t.Fatalf("acme has the lists %+v, want two", ls.Lists)
	}
	acme := ls.Lists[0]
	if acme.Name != "tenants/acme/*" || acme.Entries != 4 || acme.Live != 2 || acme.Expired != 1 || acme.Disabled != 1 {
		t.Errorf("acme's list is %+v", acme)
	}

	x, err := c.Explain(ctx, Question{Address: "203.0.113.9", Endpoint: "dedicated"})
	if err != nil || x.Verdict != "deny" {
		t.Errorf("explain: %+v, %v", x, err)
	}
	_, err = c.Explain(ctx, Question{Address: "203.0.113.9", Endpoint: "nothing"})
	if msg := message(err); msg != `endpoint "nothing": there is none` {
		t.Errorf("explain: %q", msg)
	}

	if _, err := c.DropLists(ctx, "here.yaml"); message(err) != "it has none in force" {
		t.Errorf("drop: %v", err)
	}
	if d, err := c.DropLists(ctx, "gone.yaml"); err != nil || w.runtime.dropped != "gone.yaml" || len(d.Lists) != 1 {
		t.Errorf("drop: %+v, %v", d, err)
	}
}

func TestNamesOfLists(t *testing.T) {
	var names []string
	for _, l := range find(table(t), func(policy.Place, *policy.List) bool { return true }) {
		names = append(names, l.Name)
	}
	want := []string{
		"endpoints/dedicated", "system/managementAPI", "tenants/acme/*", "tenants/acme/users/1/webUI", "tenants/globex/*",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestNoPolicyYet(t *testing.T) {
	c := dial(t, start(t, worldOf(t, nil), ""))
	if st, err := c.Status(t.Context()); err != nil || st.State != "ok" {
		t.Errorf("status: %+v, %v", st, err)
	}
	for _, err := range []error{
		func() error { _, err := c.Lists(t.Context(), ""); return err }(),
		func() error { _, err := c.Explain(t.Context(), Question{Address: "10.0.0.1"}); return err }(),
	} {
		if msg := message(err); msg != "no policy is in force yet" {
			t.Errorf("error = %q", msg)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	c := dial(t, "unix:///nowhere/api.sock")
	_, err := c.Status(t.Context())
	if msg := message(err); msg != "ask the agent at unix:///nowhere/api.sock: connect: no such file or directory" {
		t.Errorf("error = %q", msg)
	}
	_, err = Dial("http://127.0.0.1:9440")
	if msg := message(err); msg != `address "http://127.0.0.1:9440": want unix:///path/to/socket` {
		t.Errorf("error = %q", msg)
	}
}

func TestWatch(t *testing.T) {
	w := worldOf(t, nil)
	address := start(t, w, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	want := Event{Where: "gate", Verdict: "deny", Reason: "not-listed", Source: "198.51.100.7", Endpoint: "portal", Time: now}
	var got []Event
	err := dial(t, address).Watch(ctx, func() { w.feed.Publish(want) }, func(e Event) error {
		got = append(got, e)
		cancel()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Event{want}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWatchEndsWithTheAgent(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- serve.Serve(ctx, l, worldOf(t, nil).server) }()
	address := "unix://" + l.Addr().String()
	err = dial(t, address).Watch(t.Context(), cancel, func(Event) error { return nil })
	if msg, want := message(err), "watch "+address+": the agent has ended"; msg != want {
		t.Errorf("error = %q, want %q", msg, want)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestSlowListenerLearnsWhatItMissed(t *testing.T) {
	var feed Feed
	l := feed.listen()
	defer feed.leave(l)
	for range listenerRoom + 2 {
		feed.Publish(Event{Suppressed: 10})
	}
	for range listenerRoom {
		if e := <-l.events; e.Suppressed != 10 {
			t.Fatalf("an event that found room says %d were suppressed", e.Suppressed)
		}
	}
	feed.Publish(Event{})
	if e := <-l.events; e.Suppressed != 22 {
		t.Errorf("after two lost events of 10 the next says %d, want 22", e.Suppressed)
	}
	if feed.Lost() != 2 {
		t.Errorf("lost %d, want 2", feed.Lost())
	}
}

func TestLocalUsers(t *testing.T) {
	w := worldOf(t, table(t))
	root, other := &serve.Peer{Local: true}, &serve.Peer{Local: true, UID: 65534}
	tests := []struct {
		name, method, path string
		peer               *serve.Peer
		want               int
	}{
		{"root-drops", "DELETE", "/api/v1/lists?owner=gone.yaml", root, 200},
		{"root-names-no-file", "DELETE", "/api/v1/lists", root, 400},
		{"other-drops", "DELETE", "/api/v1/lists?owner=gone.yaml", other, 403},
		{"other-reads", "GET", "/api/v1/lists", other, 200},
		{"other-asks", "GET", "/api/v1/explain?address=10.0.0.1", other, 200},
		{"other-errs", "GET", "/api/v2/status", other, 404},
		{"nobody-reads", "GET", "/api/v1/status", nil, 403},
		{"nobody-watches", "GET", "/api/v1/events", nil, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.path, nil)
			if tt.peer != nil {
				r = r.WithContext(serve.WithPeer(r.Context(), *tt.peer))
			}
			rec := httptest.NewRecorder()
			w.server.ServeHTTP(rec, r)
			if rec.Code != tt.want {
				t.Errorf("%d %s, want %d", rec.Code, rec.Body, tt.want)
			}
			if kind := rec.Header().Get("Content-Type"); rec.Code != 200 && kind != "application/problem+json" {
				t.Errorf("a refusal of type %q", kind)
			}
		})
	}
}

// TestPeer asks as another user, by the word of the kernel.
func TestPeer(t *testing.T) {
	testenv.Root(t)
	const other = 65534
	address := start(t, worldOf(t, table(t)), "65534")
	as := func(method, path string) string {
		type result struct {
			status string
			err    error
		}
		done := make(chan result)
		go func() {
			// Only this thread becomes somebody else, and ends with its goroutine.
			runtime.LockOSThread()
			conn, err := connectAs(other, strings.TrimPrefix(address, "unix://"))
			if err != nil {
				done <- result{err: err}
				return
			}
			c := &http.Client{Transport: &http.Transport{
				DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
			}}
			req, _ := http.NewRequest(method, "http://agent"+path, nil)
			resp, err := c.Do(req)
			if err != nil {
				done <- result{err: err}
				return
			}
			resp.Body.Close()
			done <- result{status: resp.Status}
		}()
		r := <-done
		if r.err != nil {
			t.Fatal(r.err)
		}
		return r.status
	}
	if got := as("GET", "/api/v1/lists"); got != "200 OK" {
		t.Errorf("the group reads: %s", got)
	}
	if got := as("DELETE", "/api/v1/lists?owner=gone.yaml"); got != "403 Forbidden" {
		t.Errorf("the group drops: %s", got)
	}
}

func connectAs(id int, path string) (net.Conn, error) {
	for _, call := range []uintptr{unix.SYS_SETRESGID, unix.SYS_SETRESUID} {
		if _, _, errno := unix.RawSyscall(call, uintptr(id), uintptr(id), uintptr(id)); errno != 0 {
			return nil, errno
		}
	}
	return net.Dial("unix", path)
}
