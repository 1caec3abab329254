// Package dialecttest is a control plane with a dialect's front before it, for the
// dialects' tests: all of it real but the agent, which compiles and enforces
// nothing.
package dialecttest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/api/serve"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// Start is what a rig's clock shows first.
var Start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// Rig is a dialect in service.
type Rig struct {
	Control *control.Service
	Keys    *access.Keyring
	Log     *audit.Log
	// From is where requests come from: at first this host, whom no list keeps out.
	From netip.Addr

	t     *testing.T
	agent *agent
	keeps *memory
	clock atomic.Int64
	front http.Handler
}

// New serves a dialect over a policy.
func New(t *testing.T, state *policy.State, serves func(*Rig) (http.Handler, *front.Way)) *Rig {
	t.Helper()
	r := &Rig{t: t, From: netip.MustParseAddr("127.0.0.1"), keeps: &memory{}}
	r.clock.Store(Start.UnixNano())
	var err error
	if r.Log, _, err = audit.Open(audit.Config{Dir: t.TempDir(), Store: r.keeps, Refusals: 1000, Now: r.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Log.Close(); err != nil {
			t.Error(err)
		}
	})
	if r.Keys, err = access.Open(r.keeps, r.Now); err != nil {
		t.Fatal(err)
	}
	r.agent = &agent{rig: r}
	r.Enforce(state)
	r.Control = control.New(control.Config{Agent: r.agent, Keys: r.Keys, KeyStore: r.keeps, Log: r.Log, Now: r.Now})
	handler, way := serves(r)
	r.front = front.New(front.Config{
		Service: r.Control, Keys: r.Keys, Rate: access.NewRate(0, 0, r.Now),
		Client: func(peer netip.Addr, _ http.Header) front.Client { return front.Client{Addr: peer, TruePeer: true} },
		Log:    slog.New(slog.NewTextHandler(t.Output(), nil)),
	}, way, handler)
	return r
}

// Now is the rig's clock.
func (r *Rig) Now() time.Time { return time.Unix(0, r.clock.Load()).UTC() }

// Pass lets time pass.
func (r *Rig) Pass(d time.Duration) { r.clock.Add(int64(d)) }

// State is the policy in force.
func (r *Rig) State() *policy.State { return r.Control.Table().State }

// Enforce puts a policy in force that no write led to, as files do.
func (r *Rig) Enforce(state *policy.State) {
	r.t.Helper()
	t, err := policy.Compile(state, policy.Host{}, r.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	r.agent.put(t)
}

// Root is a call that may everything.
func (r *Rig) Root() *control.Call {
	return &control.Call{Caller: access.Local(0, true), Exempt: true, Origin: "api"}
}

// Write makes changes as root.
func (r *Rig) Write(changes ...control.Change) {
	r.t.Helper()
	if _, err := r.Control.Write(r.t.Context(), r.Root(), changes...); err != nil {
		r.t.Fatal(err)
	}
}

// Key makes a key, and returns it with its secret.
func (r *Rig) Key(k access.Key) (made *access.Key, secret string) {
	r.t.Helper()
	made, secret, err := r.Control.CreateKey(r.Root(), k)
	if err != nil {
		r.t.Fatal(err)
	}
	return made, secret
}

// Ask sends "METHOD URL" with a body, which is JSON unless a header says otherwise,
// and headers like "Name: value".
func (r *Rig) Ask(line, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	method, url, _ := strings.Cut(line, " ")
	req := httptest.NewRequestWithContext(r.t.Context(), method, url, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	peer := serve.Peer{Addr: netip.AddrPortFrom(r.From, 1234), Since: r.Now()}
	w := httptest.NewRecorder()
	r.front.ServeHTTP(w, req.WithContext(serve.WithPeer(req.Context(), peer)))
	return w
}

// Told are the journal's lines, the newest first.
func (r *Rig) Told() []audit.Entry {
	r.t.Helper()
	page, err := r.Log.Query(context.Background(), audit.Query{Limit: 10_000})
	if err != nil {
		r.t.Fatal(err)
	}
	return page.Entries
}

// List is a list of entries that allow these addresses.
func List(t *testing.T, addresses ...string) *policy.List {
	t.Helper()
	l := &policy.List{}
	for _, text := range addresses {
		l.Entries = append(l.Entries, Entry(t, text))
	}
	return l
}

// Entry is one that allows an address.
func Entry(t *testing.T, text string) policy.Entry {
	t.Helper()
	rg, err := addr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Entry{Text: text, Range: rg}
}
