package front_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/api/serve"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// The system admits 10/8 to management and 10.9/16 to administration, acme
// 10.1/16 to both, and its user 1 only 10.1.1.1 to management.
func table(t *testing.T, mode policy.Mode) *policy.Table {
	t.Helper()
	s := &policy.State{
		Mode:   mode,
		System: map[string]*policy.List{"managementAPI": list(t, "10.0.0.0/8"), "adminAPI": list(t, "10.9.0.0/16")},
		Tenants: policy.MapOf(map[string]*policy.Tenant{"acme": {
			ID:    "acme",
			Lists: map[string]*policy.List{"managementAPI": list(t, "10.1.0.0/16")},
			Users: map[string]map[string]*policy.List{"1": {"managementAPI": list(t, "10.1.1.1")}},
		}}),
	}
	tab, err := policy.Compile(s, policy.Host{}, start)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func list(t *testing.T, text string) *policy.List {
	t.Helper()
	r, err := addr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &policy.List{Entries: []policy.Entry{{Text: text, Range: r}}}
}

var start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// service notes what it is told.
type service struct {
	table *policy.Table

	mu      sync.Mutex
	records []audit.Record
}

func (s *service) Table() *policy.Table     { return s.table }
func (s *service) Revision() (uint64, bool) { return 7, true }

func (s *service) Refused(rec audit.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, rec)
}

// keys is a store that forgets.
type keys struct{}

func (keys) Keys() ([]access.Key, error)        { return nil, nil }
func (keys) Secret(string) ([]byte, error)      { return nil, nil }
func (keys) PutSecret(string, []byte) error     { return nil }
func committed(before, after *access.Key) error { return nil }

// rig is a front with a handler behind it that says who calls.
type rig struct {
	*service
	keys                       *access.Keyring
	clock                      time.Time
	log                        bytes.Buffer
	handler                    func(http.ResponseWriter, *http.Request)
	front                      http.Handler
	admin, acme, user, blocked credential
}

type credential struct{ id, name, secret string }

func newRig(t *testing.T, way *front.Way) *rig {
	t.Helper()
	r := &rig{service: &service{table: table(t, policy.Enforce)}, clock: start}
	now := func() time.Time { return r.clock }
	var err error
	if r.keys, err = access.Open(keys{}, now); err != nil {
		t.Fatal(err)
	}
	r.admin = r.key(t, access.Key{Name: "root-key", Role: access.Admin})
	r.acme = r.key(t, access.Key{Name: "acme-key", Role: access.TenantAdmin, Tenant: "acme"})
	r.user = r.key(t, access.Key{Name: "user-key", Role: access.User, Tenant: "acme", User: "1"})
	r.blocked = r.key(t, access.Key{Name: "blocked-key", Role: access.Admin, Status: access.Blocked})
	r.handler = func(w http.ResponseWriter, req *http.Request) {
		who := "nobody"
		if c := front.CallOf(req.Context()); c.Caller != nil {
			who = c.Caller.Name
		}
		w.Write([]byte(who))
	}
	r.front = front.New(front.Config{
		Service: r.service, Keys: r.keys, Rate: access.NewRate(5, time.Hour, now),
		Client: client, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	}, way, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.handler(w, req) }))
	return r
}

func (r *rig) key(t *testing.T, k access.Key) credential {
	t.Helper()
	made, secret, err := r.keys.Create("test", k, committed)
	if err != nil {
		t.Fatal(err)
	}
	return credential{made.ID, made.Name, secret}
}

// client believes 192.0.2.1 alone.
func client(peer netip.Addr, h http.Header) front.Client {
	given := h.Get("X-Forwarded-For")
	if peer == netip.MustParseAddr("192.0.2.1") {
		a, _ := netip.ParseAddr(given)
		return front.Client{Addr: a, Vouched: true}
	}
	return front.Client{Addr: peer, TruePeer: given == ""}
}

// request is one over TCP from an address; "" is a unix socket's, of root.
func request(from, line string, headers ...string) *http.Request {
	method, path, _ := strings.Cut(line, " ")
	r := httptest.NewRequest(method, path, nil)
	peer := serve.Peer{Local: true, Since: start}
	if from != "" {
		peer = serve.Peer{Addr: netip.AddrPortFrom(netip.MustParseAddr(from), 1234), Since: start}
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r.WithContext(serve.WithPeer(r.Context(), peer))
}

func (r *rig) ask(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.front.ServeHTTP(w, req)
	return w
}

func bearer(c credential) string { return "Authorization: Bearer " + c.secret }

// said is an answer's status and body, without the trace.
func said(w *httptest.ResponseRecorder) string {
	text := strings.ReplaceAll(strings.TrimSpace(w.Body.String()), w.Header().Get("X-Trace-Id"), "TRACE")
	return strconv.Itoa(w.Code) + " " + text
}
