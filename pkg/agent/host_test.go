package agent

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

const (
	postern = `interfaces: [eth0]
list_dirs: [lists.d]
failsafe:
  - {protocol: tcp, ports: [22], from: [192.0.2.0/24]}
endpoints:
  - {name: data, ports: [443], tenants: [acme], resource: dataAccess}
  - name: portal
    ports: [8080]
    client: xff
    proxies: [192.0.2.0/24]
    http: {listen: ":8080", upstream: "http://127.0.0.1:3000"}
  - {name: raw, ports: [9000], client: xff, proxies: [192.0.2.0/24]}
`
	acme = `tenant: acme
hosts: [acme.example.com]
lists:
  "*":
    - 10.0.0.0/8
    - {address: 10.9.9.9, action: deny}
  dataAccess: [10.0.0.0/16, 10.9.0.0/16]
users:
  "1": {dataAccess: [10.0.0.1]}
`
	system = `system: true
lists:
  "*": [10.0.0.0/8, 2001:db8::/32]
`
)

// Of these the files above admit the first only, whoever asks.
var (
	inside  = netip.MustParseAddr("10.0.5.5")
	outside = []netip.Addr{
		netip.MustParseAddr("10.1.0.0"),
		netip.MustParseAddr("10.9.9.9"),
		netip.MustParseAddr("203.0.113.1"),
		netip.MustParseAddr("2001:db8::1"),
	}
)

// host is a machine with files, on which an agent runs. Whatever is put in force
// on it must refuse who the first revision refused.
type host struct {
	t      *testing.T
	dir    string
	kernel *kernel
	gate   *gate
	store  *memory
	wrote  *writings
	clock  *setClock
	local  chan policy.Host

	*Agent
	stop func() error
}

func newHost(t *testing.T) *host {
	h := &host{
		t: t, dir: t.TempDir(),
		kernel: &kernel{}, gate: &gate{}, store: &memory{}, wrote: &writings{id: "one"},
		clock: &setClock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)},
		local: make(chan policy.Host),
	}
	h.write("postern.yaml", postern)
	h.write("lists.d/acme.yaml", acme)
	h.write("lists.d/system.yaml", system)
	t.Cleanup(h.end)
	return h
}

func (h *host) path(name string) string { return filepath.Join(h.dir, name) }

// write puts a file in place as an editor would.
func (h *host) write(name, text string) {
	h.t.Helper()
	path := h.path(name)
	if err := errors.Join(
		os.MkdirAll(filepath.Dir(path), 0o700),
		os.WriteFile(path+"~", []byte(text), 0o600),
		os.Rename(path+"~", path),
	); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) remove(name string) {
	h.t.Helper()
	if err := os.RemoveAll(h.path(name)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) config() Config {
	return Config{
		File:         h.path("postern.yaml"),
		OpenSnapshot: h.store.open,
		OpenStore:    h.wrote.open,
		Datapath:     h.kernel,
		Gate:         h.gate,
		WatchHost: func(ctx context.Context, changed func(policy.Host)) error {
			changed(policy.Host{})
			for {
				select {
				case now := <-h.local:
					changed(now)
				case <-ctx.Done():
					return nil
				}
			}
		},
		Now: h.clock.now,
	}
}

// start runs an agent until end, and waits until it enforces something.
func (h *host) start() {
	h.t.Helper()
	h.startWith(h.config())
}

func (h *host) startWith(cfg Config) {
	h.t.Helper()
	a, err := New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	h.Agent = a
	h.stop = func() error { cancel(); return <-ended }
	h.until("the agent enforces", func() bool { return a.Status().State != Starting })
}

func (h *host) end() {
	if h.stop == nil {
		return
	}
	if err := h.stop(); err != nil {
		h.t.Error(err)
	}
	h.stop = nil
}

// restart ends the agent, has change done to the files, and starts another.
func (h *host) restart(change func(*host)) {
	h.t.Helper()
	h.end()
	change(h)
	h.start()
}

// until waits for what must come within seconds.
func (h *host) until(what string, ok func() bool) {
	h.t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("waited in vain until %s; status %+v", what, h.Status())
		}
	}
}

// reads waits until the files have been read after now.
func (h *host) reads(change func(*host)) {
	h.t.Helper()
	h.clock.add(time.Second)
	before := h.Status().Reload.At
	change(h)
	h.until("the files are read", func() bool { return h.Status().Reload.At.After(before) })
}

func (h *host) admits(endpoint string, a netip.Addr) bool {
	h.t.Helper()
	return admits(h.Table(), endpoint, a)
}

func admits(t *policy.Table, endpoint string, a netip.Addr) bool {
	for _, ep := range t.State.Endpoints {
		if ep.Name == endpoint {
			return t.DecidePacket(ep, a).Allow
		}
	}
	return false
}

// refuses fails the test unless exactly the outsiders are refused, in every
// revision there has been.
func (h *host) refuses() {
	h.t.Helper()
	if !h.admits("data", inside) {
		h.t.Errorf("data refuses %s", inside)
	}
	for i, table := range h.gate.all() {
		for _, a := range outside {
			if table != nil && admits(table, "data", a) {
				h.t.Errorf("revision %d of %d in force admits %s", i+1, len(h.gate.all()), a)
			}
		}
	}
}

// kernel is a datapath that remembers.
type kernel struct {
	mu      sync.Mutex
	err     error // what Apply says
	once    bool  // and only once
	after   int   // so many more that go well first
	plans   int
	guarded []string
	filled  bool // before it was attached
	busy    error
}

func (k *kernel) Apply(_ context.Context, p *policy.Plan) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.after > 0 {
		k.after--
		k.plans++
		return nil
	}
	err := k.err
	if err == nil {
		k.plans++
	}
	if k.once {
		k.err = nil
	}
	return err
}

func (k *kernel) Attach(_ context.Context, interfaces []string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.guarded, k.filled = interfaces, k.plans > 0
	return k.busy
}

func (k *kernel) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

// failAfter has one Apply fail, once n have gone well.
func (k *kernel) failAfter(n int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err, k.once, k.after = err, true, n
}

func (k *kernel) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.plans
}

// gate remembers every table it was given.
type gate struct {
	mu     sync.Mutex
	tables []*policy.Table
	err    error
}

func (g *gate) Set(t *policy.Table) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tables = append(g.tables, t)
	return g.err
}

func (g *gate) all() []*policy.Table {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*policy.Table(nil), g.tables...)
}

// memory is a snapshot that keeps pointers; it is what two agents share.
type memory struct {
	mu     sync.Mutex
	path   string
	damage error // what opening says
	full   error // what writing says
	rev    *policy.Revision
	latest time.Time
	saves  int
}

func (m *memory) open(dir string) (Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.path = dir
	if m.damage != nil {
		return nil, m.damage
	}
	return m, nil
}

func (m *memory) Revision() *policy.Revision {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rev
}

func (m *memory) Latest() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.latest
}

func (m *memory) Save(rev *policy.Revision, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full != nil {
		return m.full
	}
	m.rev, m.saves = rev, m.saves+1
	m.latest = now
	return nil
}

func (m *memory) Record(now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full == nil {
		m.latest = now
	}
	return m.full
}

func (m *memory) Close() error { return nil }

func (m *memory) fill(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = err
}

// kept is the snapshot's revision.
func (h *host) kept() *policy.Revision { return h.store.Revision() }

// writings are a store that keeps pointers.
type writings struct {
	mu      sync.Mutex
	id      string
	damage  error // what opening says
	full    error // what committing says
	now     policy.Image
	commits []*policy.Commit
}

func (w *writings) open(string, Settings) (Store, Journal, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.damage != nil {
		return nil, nil, w.damage
	}
	return w, nil, nil
}

func (w *writings) ID() string { return w.id }

func (w *writings) Number() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.commits) == 0 {
		return 0
	}
	return w.commits[len(w.commits)-1].Number
}

func (w *writings) Load() (policy.Image, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now, nil
}

func (w *writings) Commit(c *policy.Commit, after policy.Image, _ audit.Note) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.full != nil {
		return w.full
	}
	w.commits = append(w.commits, c)
	w.now = after.Over(w.now)
	for _, p := range w.commits {
		if p.Number == c.Reverts {
			p.Outcome = policy.Reverted
		}
	}
	return nil
}

func (w *writings) Settle(revision uint64, o policy.Outcome, _ audit.Note) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.commits {
		if c.Number == revision {
			c.Outcome = o
		}
	}
	return w.full
}

func (w *writings) Pending() ([]*policy.Commit, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var pending []*policy.Commit
	for _, c := range w.commits {
		if c.Outcome == policy.Pending {
			pending = append(pending, c)
		}
	}
	return pending, nil
}

func (w *writings) Close() error { return nil }

func (w *writings) fill(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.full = err
}

// setClock shows what it is set to.
type setClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *setClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *setClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// here is a text with the host's directory left out of it.
func (h *host) here(text string) string { return strings.ReplaceAll(text, h.dir+"/", "") }
