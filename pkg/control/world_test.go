package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// entries are of texts: "-" before one denies, "!" disables, "?" has it end in an
// hour, "." has ended it; what follows a # is its comment.
func entries(texts ...string) []policy.Entry {
	all := make([]policy.Entry, len(texts))
	for i, text := range texts {
		e := &all[i]
		text, e.Comment, _ = strings.Cut(text, "#")
		switch text[0] {
		case '-':
			e.Action, text = policy.Deny, text[1:]
		case '!':
			e.Disabled, text = true, text[1:]
		case '?':
			e.Expires, text = noon.Add(time.Hour), text[1:]
		case '.':
			e.Expires, text = noon, text[1:]
		}
		r, err := addr.Parse(text)
		if err != nil {
			panic(err)
		}
		e.Text, e.Range = text, r
	}
	return all
}

// spell writes a list as entries reads it; "none" is no list.
func spell(l *policy.List) string {
	if l == nil {
		return "none"
	}
	texts := make([]string, len(l.Entries))
	for i, e := range l.Entries {
		texts[i] = e.Text
		switch {
		case e.Action == policy.Deny:
			texts[i] = "-" + e.Text
		case e.Disabled:
			texts[i] = "!" + e.Text
		case !e.Live(noon):
			texts[i] = "." + e.Text
		case !e.Expires.IsZero():
			texts[i] = "?" + e.Text
		}
		if e.Comment != "" {
			texts[i] += "#" + e.Comment
		}
	}
	return strings.Join(texts, " ")
}

func place(text string) policy.Place {
	at, err := policy.ParsePlace(text)
	if err != nil {
		panic(err)
	}
	return at
}

// agent keeps a policy in force as the real one does, without a kernel, and its
// commits as the real store does.
type agent struct {
	writing  sync.Mutex
	compiler policy.Compiler
	view     atomic.Pointer[view]
	log      *log
	conns    []policy.Conn
	now      func() time.Time
}

// view is what there is between two writes, and while one is made.
type view struct {
	table   *policy.Table
	commits []*policy.Commit // the first is revision 2's
}

func (a *agent) Table() *policy.Table { return a.view.Load().table }

func (a *agent) Revision() (uint64, bool) { return uint64(len(a.view.Load().commits)) + 1, true }

func (a *agent) Write(_ context.Context, w policy.Write) (policy.Receipt, error) {
	a.writing.Lock()
	defer a.writing.Unlock()
	is := a.view.Load()
	d := policy.NewDraft(is.table.State)
	if err := w.Edit(d); err != nil {
		return policy.Receipt{}, err
	}
	step := policy.Transition{Before: is.table, After: is.table, Image: d.Before()}
	if step.Image.Empty() {
		return policy.Receipt{Transition: step}, nil
	}
	after, err := a.compiler.Compile(d.State(), policy.Host{Local: []netip.Prefix{local}}, a.now())
	if err != nil {
		return policy.Receipt{}, err
	}
	step.After, step.Cuts = after, policy.CutOff(is.table, after, a.conns)
	if err := w.Check(step); err != nil {
		return policy.Receipt{}, err
	}
	if len(step.Cuts) > 0 && !w.Force {
		return policy.Receipt{}, after.LockedOut(step.Cuts)
	}
	if w.DryRun {
		return policy.Receipt{Transition: step}, nil
	}
	c := &policy.Commit{
		Number: uint64(len(is.commits)) + 2, Time: a.now(), Author: w.Author, Origin: w.Origin, Reason: w.Reason,
		Names: step.Image.Names(), Before: step.Image, Told: w.Told,
	}
	if w.Confirm > 0 {
		c.Outcome, c.Confirm = policy.Pending, c.Time.Add(w.Confirm)
	}
	a.log.commit(c)
	a.view.Store(&view{after, append(slices.Clip(is.commits), c)})
	return policy.Receipt{Transition: step, Commit: c}, nil
}

func (a *agent) Confirm(_ context.Context, revision uint64, _ policy.Author) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	c := a.view.Load().commits[revision-2]
	if c.Outcome != policy.Pending {
		return &policy.Unknown{What: "revision to be confirmed", Name: fmt.Sprint(revision)}
	}
	c.Outcome = policy.Confirmed
	return nil
}

func (a *agent) History(q HistoryQuery) ([]*policy.Commit, error) {
	var found []*policy.Commit
	for _, c := range slices.Backward(a.view.Load().commits) {
		if q.Tenant == "" || slices.Contains(audit.TenantsOf(c.Names), q.Tenant) {
			found = append(found, c)
		}
	}
	return found, nil
}

// past is the agent's history.
type past struct{ *agent }

func (p past) Revision(number uint64) (*policy.Commit, error) {
	if number < 2 {
		return nil, unknownRevision(number)
	}
	return p.view.Load().commits[number-2], nil
}

func (p past) Undo(to uint64, names func(string) bool) (policy.Image, error) {
	var image policy.Image
	for _, c := range p.view.Load().commits {
		if c.Number > to {
			image = image.Over(part(c.Before, names))
		}
	}
	return image, nil
}

// log remembers what the journal was told.
type log struct {
	mu      sync.Mutex
	changes []audit.Record
	refused []audit.Record
}

func (l *log) Change(rec audit.Record, commit func(audit.Note) error) error {
	if err := commit(audit.Note{}); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes = append(l.changes, rec)
	return nil
}

// commit is what the agent's journal tells of a commit.
func (l *log) commit(c *policy.Commit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes = append(l.changes, audit.Record{
		Actor: audit.Actor{ID: c.Author.Key, Name: c.Author.Name, Tenant: c.Author.Tenant, From: c.Author.From}, Action: c.Told.Action, Objects: c.Names,
		Tenants: audit.TenantsOf(c.Names), Reason: c.Reason, Forced: c.Told.Forced, Trace: c.Told.Trace, Revision: c.Number,
	})
}

func (l *log) Refused(rec audit.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = append(l.refused, rec)
}

// Query gives the changes' records, as far as the query's reader may have them and
// its Keep wants them.
func (l *log) Query(_ context.Context, q audit.Query) (audit.Page, error) {
	var page audit.Page
	for _, rec := range l.changes {
		e, ok := audit.Entry{Record: rec}, true
		if q.Reader != "" {
			e, ok = e.For(q.Reader)
		}
		if ok && (q.Keep == nil || q.Keep(&e)) {
			page.Entries = append(page.Entries, e)
		}
	}
	return page, nil
}

// keys keeps keys.
type keys struct {
	all     map[string]access.Key
	secrets map[string][]byte
}

func (k *keys) Keys() ([]access.Key, error)               { return slices.Collect(maps.Values(k.all)), nil }
func (k *keys) Secret(name string) ([]byte, error)        { return k.secrets[name], nil }
func (k *keys) PutSecret(name string, value []byte) error { k.secrets[name] = value; return nil }

func (k *keys) PutKey(key access.Key, _ audit.Note) error {
	k.all[key.ID] = key
	return nil
}

func (k *keys) DeleteKey(id string, _ audit.Note) error {
	delete(k.all, id)
	return nil
}

// world is a service with everything around it.
type world struct {
	testing.TB
	*Service
	agent *agent
	log   *log
	ring  *access.Keyring
	store *keys
	at    time.Time
	step  time.Duration // that passes with every look at the clock
	seen  map[string][]netip.Addr
}

var local = netip.MustParsePrefix("203.0.113.10/32")

// acme is the state most tests begin with: two tenants of the store's, one of a
// file's, and an endpoint of each kind.
func acme() *policy.State {
	list := func(texts ...string) *policy.List { return &policy.List{Entries: entries(texts...)} }
	filed := list("10.9.0.0/16")
	filed.Owner, filed.Pos = "filed.yaml", policy.Pos{File: "filed.yaml", Line: 3}
	return &policy.State{
		System: map[string]*policy.List{"managementAPI": list("10.0.0.0/8", "2001:db8::/32")},
		Tenants: policy.MapOf(map[string]*policy.Tenant{
			"acme": {
				ID: "acme", Stored: true, Hosts: []string{"acme.example.com"}, Names: map[string]string{"1": "alice", "2": ""},
				Lists: map[string]*policy.List{"*": list("10.0.0.0/16#office", "2001:db8::/48")},
				Users: map[string]map[string]*policy.List{"1": {"dataAccess": list("10.0.0.7", "2001:db8::7")}, "2": {}},
			},
			"globex": {ID: "globex", Stored: true, Names: map[string]string{"1": "gus"}, Lists: map[string]*policy.List{"*": list("10.1.0.0/16")}},
			"staff":  {ID: "staff", Stored: true, StaffOnly: true, Lists: map[string]*policy.List{"*": list("10.2.0.0/16")}},
			"filed":  {ID: "filed", Owner: "filed.yaml", Pos: policy.Pos{File: "filed.yaml", Line: 1}, Lists: map[string]*policy.List{"*": filed}},
		}),
		Endpoints: []*policy.Endpoint{
			{Name: "shared", Resource: "dataAccess", AllTenants: true, Ports: []policy.PortRange{{First: 443, Last: 443}}, Pos: policy.Pos{File: "postern.yaml", Line: 9}},
			{Name: "acme-data", Resource: "*", Tenants: []string{"acme"}, Ports: []policy.PortRange{{First: 8000, Last: 8000}}, Policies: list("-10.0.6.6", "10.0.0.0/8")},
		},
	}
}

func newWorld(t testing.TB, s *policy.State) *world {
	t.Helper()
	w := &world{TB: t, log: &log{}, store: &keys{map[string]access.Key{}, map[string][]byte{}}, at: noon, seen: map[string][]netip.Addr{}}
	clock := func() time.Time {
		defer func() { w.at = w.at.Add(w.step) }()
		return w.at
	}
	w.agent = &agent{log: w.log, now: clock}
	table, err := w.agent.compiler.Compile(s, policy.Host{Local: []netip.Prefix{local}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	w.agent.view.Store(&view{table: table})
	if w.ring, err = access.Open(w.store, clock); err != nil {
		t.Fatal(err)
	}
	w.Service = New(Config{
		Agent: w.agent, Past: past{w.agent}, Keys: w.ring, KeyStore: w.store, Log: w.log, Now: clock,
		Seen: func(endpoint string) []netip.Addr { return w.seen[endpoint] },
	})
	return w
}

// root calls over the unix socket.
func root() *Call {
	return &Call{Caller: access.Local(0, true), Exempt: true, Resource: "managementAPI", Origin: "api", Trace: "t1", Since: noon}
}

// as calls with a key, over the network.
func (w *world) as(k access.Key, from string) *Call {
	w.Helper()
	if k.Name == "" {
		k.Name = "key" + fmt.Sprint(len(w.store.all))
	}
	made, _, err := w.ring.Create("root", k, func(_, after *access.Key) error { return w.store.PutKey(*after, audit.Note{}) })
	if err != nil {
		w.Fatal(err)
	}
	a := netip.MustParseAddr(from)
	return &Call{Caller: access.By(made, a), From: a, Resource: "managementAPI", Origin: "api", Trace: "t2", Since: noon.Add(-time.Hour)}
}

func (w *world) write(c *Call, changes ...Change) *Result {
	w.Helper()
	r, err := w.Write(w.Context(), c, changes...)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) listAt(name string) *policy.List { return w.Table().State.ListAt(place(name)) }

func kindOf(err error) Kind {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Kind
	}
	return ""
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
