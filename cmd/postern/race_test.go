package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/agent"
	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/api/serve"
	"github.com/postern-io/postern/pkg/policy"
)

// paper is a kernel and a gate that only note what they are told.
type paper struct{ applied atomic.Int64 }

func (p *paper) Apply(context.Context, *policy.Plan) error { p.applied.Add(1); return nil }
func (p *paper) Attach(context.Context, []string) error    { return nil }
func (p *paper) Set(*policy.Table) error                   { return nil }

// desk is an agent with everything but a kernel, and its API.
type desk struct {
	*daemon
	t   testing.TB
	api *httptest.Server
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "postern.yaml")
	text := "store: {path: " + dir + "/store}\nendpoints:\n  - {name: web, ports: [443], tenants: [acme, beta], resource: webUI}\n" +
		"api: {rate: {requests: 100000000}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, daemon: &daemon{log: slog.New(slog.DiscardHandler), events: new(api.Feed), sources: newSources()}}
	var err error
	d.agent, err = agent.New(agent.Config{
		File: file, OpenSnapshot: d.openSnapshot, OpenStore: d.openStore, Datapath: new(paper), Gate: new(paper),
		WatchHost: func(ctx context.Context, changed func(policy.Host)) error {
			changed(policy.Host{})
			<-ctx.Done()
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.agent.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for end := time.Now().Add(5 * time.Second); d.agent.Table() == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the agent does not start")
		}
	}
	doors, err := d.doors(d.agent.Settings())
	if err != nil {
		t.Fatal(err)
	}
	native := doors.native()
	d.api = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		native.ServeHTTP(w, r.WithContext(serve.WithPeer(r.Context(), serve.Peer{Local: true, Since: time.Now()})))
	}))
	t.Cleanup(d.api.Close)
	return d
}

// ask is one request; body may be nil.
func (d *desk) ask(method, path string, header http.Header, body any) (*http.Response, []byte) {
	d.t.Helper()
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body)
	}
	req, err := http.NewRequest(method, d.api.URL+path, bytes.NewReader(text))
	if err != nil {
		d.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp, said
}

// TestManyWriters has eight count upwards in one list, each by reading it and
// writing it back, beside four who read: every count is made once, every conflict
// is told with both versions.
func TestManyWriters(t *testing.T) {
	d := newDesk(t)
	const list = "/api/v1/lists/tenants%2Facme%2F*"
	type content struct {
		Entries []struct {
			Address string `json:"address"`
			Comment string `json:"comment,omitempty"`
		} `json:"entries"`
	}
	write := func(n int) content {
		var c content
		c.Entries = append(c.Entries, struct {
			Address string `json:"address"`
			Comment string `json:"comment,omitempty"`
		}{netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).String(), strconv.Itoa(n)})
		return c
	}
	if resp, said := d.ask(http.MethodPut, list, nil, write(0)); resp.StatusCode != 200 {
		t.Fatalf("%s: %s", resp.Status, said)
	}
	last := 2 * time.Second
	if long() {
		last = time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), last)
	defer cancel()
	var counted, conflicts, reads atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for ctx.Err() == nil {
				resp, said := d.ask(http.MethodGet, list, nil, nil)
				var is content
				if err := json.Unmarshal(said, &is); err != nil || len(is.Entries) != 1 {
					t.Errorf("%s: %s", resp.Status, said)
					return
				}
				n, _ := strconv.Atoi(is.Entries[0].Comment)
				resp, said = d.ask(http.MethodPut, list, http.Header{"If-Match": {resp.Header.Get("ETag")}}, write(n+1))
				switch resp.StatusCode {
				case http.StatusOK:
					counted.Add(1)
				case http.StatusPreconditionFailed:
					conflicts.Add(1)
					var both struct{ Current, Yours json.RawMessage }
					if err := json.Unmarshal(said, &both); err != nil || both.Current == nil || both.Yours == nil {
						t.Errorf("a conflict without both versions: %s", said)
					}
				default:
					t.Errorf("%s: %s", resp.Status, said)
					return
				}
			}
		})
	}
	for i := range 4 {
		paths := []string{"/api/v1/lists?limit=10", "/api/v1/revisions?limit=10", "/api/v1/explain?address=10.0.0.1&tenant=acme", "/api/v1/audit?limit=10"}
		group.Go(func() {
			for ctx.Err() == nil {
				if resp, said := d.ask(http.MethodGet, paths[i], nil, nil); resp.StatusCode != 200 {
					t.Errorf("%s: %s: %s", paths[i], resp.Status, said)
					return
				}
				reads.Add(1)
			}
		})
	}
	group.Wait()
	_, said := d.ask(http.MethodGet, list, nil, nil)
	var is content
	if err := json.Unmarshal(said, &is); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprint(counted.Load()); is.Entries[0].Comment != want {
		t.Errorf("the list counts %s, and %s counts were acknowledged: updates are lost", is.Entries[0].Comment, want)
	}
	if conflicts.Load() == 0 || reads.Load() == 0 {
		t.Errorf("%d conflicts, %d reads: nobody was in anybody's way", conflicts.Load(), reads.Load())
	}
	t.Logf("%d counts, %d conflicts, %d reads", counted.Load(), conflicts.Load(), reads.Load())
}
