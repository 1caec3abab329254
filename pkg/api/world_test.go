package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/api/serve"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/api/v1/contract"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// world is the native API with all that is behind it but a kernel and a disk.
type world struct {
	*testing.T
	*keeper
	ring    *access.Keyring
	runtime *machine
	feed    *Feed
	log     bytes.Buffer
	server  http.Handler
	since   time.Time // when connections are made
}

// newWorld has a file's list of globex's, and lists of the store's: the system's,
// acme's and its user 1's.
func newWorld(t *testing.T, c *contract.Contract) *world {
	t.Helper()
	w := &world{T: t, feed: new(Feed), keeper: &keeper{keys: map[string]access.Key{}}, since: now}
	store := func(texts ...string) *policy.List {
		l := &policy.List{}
		for _, text := range texts {
			e := entry(t, text)
			e.Pos = policy.Pos{}
			l.Entries = append(l.Entries, e)
		}
		return l
	}
	w.put(t, &policy.State{
		System: map[string]*policy.List{"managementAPI": store("10.0.0.0/8")},
		Tenants: policy.MapOf(map[string]*policy.Tenant{
			"acme": {
				ID: "acme", Name: "ACME", Hosts: []string{"acme.example.com"}, Stored: true,
				Attributes: json.RawMessage(`{"region":"oak"}`), Names: map[string]string{"1": "alice"},
				Lists: map[string]*policy.List{"*": store("10.1.0.0/16", "10.2.0.1")},
				Users: map[string]map[string]*policy.List{"1": {"dataAccess": store("10.1.0.0/16")}},
			},
			"globex": {ID: "globex", Owner: "globex.yaml", Lists: map[string]*policy.List{"*": list(entry(t, "198.51.100.0/24"))}},
		}),
		Endpoints: []*policy.Endpoint{
			{
				Name: "data", Ports: []policy.PortRange{{First: 443, Last: 443}}, Tenants: []string{"acme"}, Resource: "dataAccess",
				Pos: policy.Pos{File: "postern.yaml", Line: 7},
			},
			{Name: "shop", Ports: []policy.PortRange{{First: 8080, Last: 8080}}, AllTenants: true, Resource: "*"},
		},
	})
	w.open(c)
	return w
}

// open builds the API over what the keeper has; c judges its answers, unless it is
// nil.
func (w *world) open(c *contract.Contract) {
	w.Helper()
	var err error
	if w.ring, err = access.Open(w.keeper, func() time.Time { return now }); err != nil {
		w.Fatal(err)
	}
	w.runtime = &machine{agent: &agent{}, keeper: w.keeper}
	service := control.New(control.Config{
		Agent: w.keeper, Past: past{w.keeper}, Keys: w.ring, KeyStore: w.keeper, Log: w.keeper,
		Seen: func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("10.1.0.7")} },
		Now:  func() time.Time { return now }, MaxEntries: 100,
	})
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	w.server = front.New(front.Config{
		Service: service, Keys: w.ring, Rate: access.NewRate(10_000, 0, func() time.Time { return now }), Log: log,
		Client: func(peer netip.Addr, _ http.Header) front.Client { return front.Client{Addr: peer, TruePeer: true} },
	}, Way(), New(Config{
		Control: service, Runtime: w.runtime, Events: w.feed, Version: "v1", Log: log,
		Published: []v1.Published{{Name: "Data API", Hosts: []string{"api.example.com"}}},
	}))
	if c != nil {
		w.server = c.Judge(w, w.server)
	}
}

// worldOf has this table in force, which may be nil.
func worldOf(t *testing.T, table *policy.Table) *world {
	t.Helper()
	w := &world{T: t, feed: new(Feed), keeper: &keeper{keys: map[string]access.Key{}, inForce: table}, since: now}
	w.open(nil)
	return w
}

// machine is an agent that is told to read its files.
type machine struct {
	*agent
	*keeper
	reloads []string
	err     error
}

func (m *machine) Status(context.Context) (Status, error) {
	return Status{
		Version: "v1", State: "ok", Revision: 7,
		Interfaces: []Interface{}, Problems: policy.Problems{}, Bypasses: []Bypass{},
	}, m.err
}

// Reload finds a file that has acme's list.
func (m *machine) Reload(ctx context.Context, by Order, cede ...policy.Place) error {
	m.reloads = append(m.reloads, fmt.Sprint(by.Author.Name, " ", by.Told.Action, " ", by.Reason, by.Force, cede))
	if len(cede) == 0 || cede[0].String() != "tenants/acme/*" {
		return nil
	}
	_, err := m.Write(ctx, policy.Write{
		Author: by.Author, Origin: policy.Files, Reason: by.Reason, Told: by.Told,
		Edit: func(d *policy.Draft) error {
			filed := *d.State().ListAt(cede[0])
			filed.Owner = "acme.yaml"
			return d.SetList(cede[0], &filed)
		},
		Check: func(policy.Transition) error { return nil },
	})
	return err
}

// keeper keeps a policy in force as an agent does, and what a store keeps.
type keeper struct {
	mu       sync.Mutex
	compiler policy.Compiler
	inForce  *policy.Table
	commits  []*policy.Commit // the first is revision 2's
	keys     map[string]access.Key
	records  []audit.Record // of what was refused
}

func (k *keeper) put(t *testing.T, s *policy.State) {
	t.Helper()
	var err error
	if k.inForce, err = k.compiler.Compile(s, policy.Host{}, now); err != nil {
		t.Fatal(err)
	}
}

func (k *keeper) Table() *policy.Table {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.inForce
}

func (k *keeper) Revision() (uint64, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return uint64(len(k.commits)) + 1, true
}

func (k *keeper) Write(_ context.Context, w policy.Write) (policy.Receipt, error) {
	before := k.Table()
	d := policy.NewDraft(before.State)
	if err := w.Edit(d); err != nil {
		return policy.Receipt{}, err
	}
	step := policy.Transition{Before: before, After: before, Image: d.Before()}
	if step.Image.Empty() {
		return policy.Receipt{Transition: step}, nil
	}
	k.mu.Lock()
	after, err := k.compiler.Compile(d.State(), policy.Host{}, now)
	k.mu.Unlock()
	if err != nil {
		return policy.Receipt{}, err
	}
	step.After = after
	if err := w.Check(step); err != nil || w.DryRun {
		return policy.Receipt{Transition: step}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	c := &policy.Commit{
		Number: uint64(len(k.commits)) + 2, Time: now, Author: w.Author, Origin: w.Origin, Reason: w.Reason,
		Names: step.Image.Names(), Before: step.Image, Told: w.Told,
	}
	if w.Confirm > 0 {
		c.Outcome, c.Confirm = policy.Pending, now.Add(w.Confirm)
	}
	k.commits, k.inForce = append(k.commits, c), after
	return policy.Receipt{Transition: step, Commit: c}, nil
}

func (k *keeper) Confirm(_ context.Context, revision uint64, _ policy.Author) error {
	c := k.commits[revision-2]
	c.Outcome = policy.Confirmed
	return nil
}

func (k *keeper) History(q control.HistoryQuery) ([]*policy.Commit, error) {
	var found []*policy.Commit
	for _, c := range slices.Backward(k.commits) {
		if (q.Before == 0 || c.Number < q.Before) && (q.Limit == 0 || len(found) < q.Limit) {
			found = append(found, c)
		}
	}
	return found, nil
}

func (k *keeper) Undo(to uint64, names func(string) bool) (policy.Image, error) {
	var i policy.Image
	for _, c := range k.commits {
		if c.Number > to {
			i = i.Over(c.Before)
		}
	}
	return i, nil
}

func (k *keeper) Keys() ([]access.Key, error)    { return nil, nil }
func (k *keeper) Secret(string) ([]byte, error)  { return nil, nil }
func (k *keeper) PutSecret(string, []byte) error { return nil }

func (k *keeper) PutKey(key access.Key, _ audit.Note) error { k.keys[key.ID] = key; return nil }
func (k *keeper) DeleteKey(id string, _ audit.Note) error   { delete(k.keys, id); return nil }

func (k *keeper) Change(_ audit.Record, commit func(audit.Note) error) error {
	return commit(audit.Note{})
}

func (k *keeper) Refused(rec audit.Record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.records = append(k.records, rec)
}

func (k *keeper) Query(context.Context, audit.Query) (audit.Page, error) {
	return audit.Page{Entries: []audit.Entry{{Line: []byte(`{"event":{"action":"list.put"}}`)}}, Next: "7"}, nil
}

// past is the keeper's history, of which a revision is told by number.
type past struct{ *keeper }

func (p past) Revision(number uint64) (*policy.Commit, error) {
	if number < 2 {
		return nil, &policy.Unknown{What: "revision", Name: fmt.Sprint(number)}
	}
	return p.commits[number-2], nil
}

// key makes a key, and is its secret.
func (w *world) key(k access.Key) string {
	w.Helper()
	_, secret, err := w.ring.Create("test", k, func(_, _ *access.Key) error { return nil })
	if err != nil {
		w.Fatal(err)
	}
	return secret
}

// listen serves root over HTTP until the test ends, and is where.
func (w *world) listen() string {
	root := serve.Peer{Local: true, Since: w.since}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.server.ServeHTTP(rw, r.WithContext(serve.WithPeer(r.Context(), root)))
	}))
	w.Cleanup(server.Close)
	return server.URL + v1.Base
}

// reply is an answer that was read.
type reply struct {
	*httptest.ResponseRecorder
	t *testing.T
}

// do asks as root by the unix socket, or with the secret that follows a " as ".
// Further headers are "Name: value"; what is none of that is the body.
func (w *world) do(line string, rest ...string) *reply {
	w.Helper()
	method, path, _ := strings.Cut(line, " ")
	var body string
	header := http.Header{}
	peer := serve.Peer{Local: true, Since: w.since}
	for _, r := range rest {
		name, value, isHeader := strings.Cut(r, ": ")
		switch {
		case strings.HasPrefix(r, "psk_"):
			header.Set("Authorization", "Bearer "+r)
		case strings.HasPrefix(r, "from "):
			peer = serve.Peer{Addr: netip.AddrPortFrom(netip.MustParseAddr(r[5:]), 1), Since: w.since}
		case isHeader && !strings.ContainsAny(name, "{[\"\n "):
			header.Set(name, value)
		default:
			body = r
		}
	}
	r := httptest.NewRequest(method, v1.Base+path, strings.NewReader(body))
	if header.Get("Content-Type") == "" && body != "" {
		header.Set("Content-Type", "application/json")
	}
	r.Header = header
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r.WithContext(serve.WithPeer(r.Context(), peer)))
	return &reply{rec, w.T}
}

// into reads the answer, whose status must be this.
func (r *reply) into(status int, v any) *reply {
	r.t.Helper()
	if r.Code != status {
		r.t.Fatalf("%d %s, want %d", r.Code, r.Body, status)
	}
	if v != nil {
		if err := json.Unmarshal(r.Body.Bytes(), v); err != nil {
			r.t.Fatalf("%s: %v", r.Body, err)
		}
	}
	return r
}

// problem is the refusal that the answer must be.
func (r *reply) problem(status int) v1.Problem {
	r.t.Helper()
	var p v1.Problem
	r.into(status, &p)
	return p
}

// list spells the list of a name that is in force.
func (w *world) list(name string) string {
	at, err := policy.ParsePlace(name)
	if err != nil {
		w.Fatal(err)
	}
	l := w.Table().State.ListAt(at)
	if l == nil {
		return "none"
	}
	var texts []string
	for _, e := range l.Entries {
		texts = append(texts, e.Text)
	}
	return strings.Join(texts, " ")
}
