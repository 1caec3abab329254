// Package dialecttest runs a dialect as the agent does, for its tests: behind the
// real front and over the real control plane, keyring and journal. Only the agent
// is a stand-in, which compiles every change and enforces none.
package dialecttest

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
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

// Rig is a dialect with all it needs.
type Rig struct {
	*Clock
	*agent
	Control *control.Service
	Keys    *access.Keyring
	// From is where requests come from that do not say so: 10.20.30.5 at first.
	From string

	t       testing.TB
	handler http.Handler
}

// Key is a key and its secret.
type Key struct{ ID, Name, Secret string }

// Dialect is what New makes of a control plane.
type Dialect func(*control.Service) (*front.Way, http.Handler)

// New is a dialect over a state.
func New(t testing.TB, s *policy.State, dialect Dialect) *Rig {
	t.Helper()
	r := &Rig{t: t, Clock: &Clock{}, From: "10.20.30.5"}
	kept := &memory{}
	log, _, err := audit.Open(audit.Config{Dir: t.TempDir(), Store: kept, Refusals: 1_000_000, Now: r.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	r.agent = &agent{clock: r.Clock, kept: kept, log: log}
	r.Enforce(s)
	if r.Keys, err = access.Open(kept, r.Now); err != nil {
		t.Fatal(err)
	}
	r.Control = control.New(control.Config{Agent: r.agent, Keys: r.Keys, KeyStore: kept, Log: log, Now: r.Now})
	way, handler := dialect(r.Control)
	r.handler = front.New(front.Config{
		Service: r.Control, Keys: r.Keys, Rate: access.NewRate(1_000_000, time.Hour, r.Now),
		Client: func(peer netip.Addr, h http.Header) front.Client {
			return front.Client{Addr: peer, TruePeer: h.Get("X-Forwarded-For") == ""}
		},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}, way, handler)
	return r
}

// Enforce puts a state in force that no write led to, as files do.
func (r *Rig) Enforce(s *policy.State) {
	r.t.Helper()
	if err := r.enforce(s); err != nil {
		r.t.Fatal(err)
	}
}

// State is what is in force.
func (r *Rig) State() *policy.State { return r.Table().State }

// Root is a call that may everything and is guarded by nothing.
func (r *Rig) Root() *control.Call {
	return &control.Call{Caller: access.Local(0, true), Exempt: true, Origin: "api", Force: true}
}

// Key makes a key.
func (r *Rig) Key(k access.Key) Key {
	r.t.Helper()
	made, secret, err := r.Control.CreateKey(r.Root(), k)
	if err != nil {
		r.t.Fatal(err)
	}
	return Key{made.ID, made.Name, secret}
}

// Token is one for a key.
func (r *Rig) Token(k Key) string { return r.Keys.Issue(r.Keys.ByID(k.ID), 0).Text }

// Write makes changes, as the native API would.
func (r *Rig) Write(changes ...control.Change) {
	r.t.Helper()
	if _, err := r.Control.Write(r.t.Context(), r.Root(), changes...); err != nil {
		r.t.Fatal(err)
	}
}

// List puts a list at a place by its name.
func (r *Rig) List(place string, entries ...policy.Entry) {
	r.t.Helper()
	at, err := policy.ParsePlace(place)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Write(control.Replace(at, nil, entries))
}

// Entry is an entry by its address.
func Entry(t testing.TB, text string) policy.Entry {
	t.Helper()
	rg, err := addr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Entry{Text: text, Range: rg}
}

// Entries are those of some addresses.
func Entries(t testing.TB, texts ...string) []policy.Entry {
	t.Helper()
	all := make([]policy.Entry, len(texts))
	for i, text := range texts {
		all[i] = Entry(t, text)
	}
	return all
}

// Told are the journal's lines, the newest first.
func (r *Rig) Told() []audit.Entry {
	r.t.Helper()
	page, err := r.log.Query(r.t.Context(), audit.Query{Limit: 1_000_000})
	if err != nil {
		r.t.Fatal(err)
	}
	return page.Entries
}

// Refusals are those of the journal's lines that tell of one.
func (r *Rig) Refusals() []audit.Entry {
	r.t.Helper()
	return slices.DeleteFunc(r.Told(), func(e audit.Entry) bool { return e.Outcome != audit.Failure })
}

// Request is one to be made.
type Request struct {
	Line   string // "GET /path", or with a whole URL
	Body   string
	From   string // the peer's address; "": the rig's
	Key    Key    // shown as Basic, or as Bearer
	Bearer bool
	Header map[string]string
}

// Do makes a request.
func (r *Rig) Do(q Request) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(q.Line, " ")
	req := httptest.NewRequest(method, path, strings.NewReader(q.Body))
	if q.Body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	switch {
	case q.Key == Key{}:
	case q.Bearer:
		req.Header.Set("Authorization", "Bearer "+q.Key.Secret)
	default:
		req.SetBasicAuth(q.Key.Name, q.Key.Secret)
	}
	for name, value := range q.Header {
		req.Header.Set(name, value)
	}
	from := q.From
	if from == "" {
		from = r.From
	}
	peer := serve.Peer{Addr: netip.AddrPortFrom(netip.MustParseAddr(from), 40000), Since: r.Now()}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req.WithContext(serve.WithPeer(req.Context(), peer)))
	return w
}

// Ask makes a request with headers like "Name: value".
func (r *Rig) Ask(line, body string, headers ...string) *httptest.ResponseRecorder {
	q := Request{Line: line, Body: body, Header: map[string]string{}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		q.Header[name] = value
	}
	return r.Do(q)
}
