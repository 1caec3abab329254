package gate

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/gate/clientip"
	"github.com/postern-io/postern/pkg/policy"
)

// list reads entries as "address" or "deny address".
func list(t testing.TB, entries ...string) *policy.List {
	t.Helper()
	l := &policy.List{}
	for _, text := range entries {
		e := policy.Entry{}
		if e.Text, _ = strings.CutPrefix(text, "deny "); e.Text != text {
			e.Action = policy.Deny
		}
		r, err := addr.Parse(e.Text)
		if err != nil {
			t.Fatal(err)
		}
		e.Range = r
		l.Entries = append(l.Entries, e)
	}
	return l
}

func compile(t testing.TB, s *policy.State) *policy.Table {
	t.Helper()
	table, err := policy.Compile(s, policy.Host{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return table
}

var (
	proxies = policy.Client{
		Source:  policy.XForwardedFor,
		Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	}
	loopback = policy.Client{
		Source:  policy.XForwardedFor,
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}
)

// towns is a system list, three tenants, and an endpoint of every kind.
func towns(t testing.TB) *policy.State {
	s := &policy.State{
		System: map[string]*policy.List{policy.AnyResource: list(t, "deny 203.0.113.66")},
		Tenants: policy.MapOf(map[string]*policy.Tenant{
			"acme": {
				ID: "acme", Hosts: []string{"acme.example.com", "2001:db8::1", "xn--bcher-kva.example"},
				Lists: map[string]*policy.List{policy.AnyResource: list(t, "203.0.113.0/24", "2001:db8::/32")},
			},
			"globex": {
				ID: "globex", Hosts: []string{"globex.example.com", "*.globex.example.com", "203.0.113.10"},
				Lists: map[string]*policy.List{policy.AnyResource: list(t, "198.51.100.1-198.51.100.9")},
			},
			"open": {ID: "open", Hosts: []string{"open.example.com"}},
		}),
	}
	port := uint16(8000)
	endpoint := func(name string, change func(*policy.Endpoint)) {
		port++
		ep := &policy.Endpoint{
			Name: name, Resource: policy.AnyResource,
			Ports: []policy.PortRange{{First: port, Last: port}},
			HTTP:  &policy.HTTP{},
		}
		change(ep)
		s.Endpoints = append(s.Endpoints, ep)
	}
	acme := []string{"acme"}
	endpoint("acme", func(ep *policy.Endpoint) { ep.Tenants = acme })
	endpoint("acme-strict", func(ep *policy.Endpoint) { ep.Tenants, ep.StrictHosts = acme, true })
	endpoint("acme-xff", func(ep *policy.Endpoint) { ep.Tenants, ep.Client = acme, proxies })
	endpoint("acme-else-peer", func(ep *policy.Endpoint) {
		ep.Tenants, ep.Client = acme, proxies
		ep.Client.Exhausted = policy.ExhaustedPeer
	})
	endpoint("acme-else-leftmost", func(ep *policy.Endpoint) {
		ep.Tenants, ep.Client = acme, proxies
		ep.Client.Exhausted = policy.ExhaustedLeftmost
	})
	endpoint("acme-hops", func(ep *policy.Endpoint) {
		ep.Tenants, ep.Client = acme, proxies
		ep.Client.Hops = 2
	})
	endpoint("acme-hidden", func(ep *policy.Endpoint) { ep.Tenants, ep.HTTP.HideOrg = acme, true })
	endpoint("acme-monitor", func(ep *policy.Endpoint) { ep.Tenants, ep.Mode, ep.Client = acme, policy.Monitor, proxies })
	endpoint("acme-off", func(ep *policy.Endpoint) { ep.Tenants, ep.Mode = acme, policy.Off })
	endpoint("acme-exempt", func(ep *policy.Endpoint) { ep.Tenants, ep.Loopback = acme, policy.LoopbackExempt })
	endpoint("acme-xff-exempt", func(ep *policy.Endpoint) {
		ep.Tenants, ep.Loopback, ep.Client = acme, policy.LoopbackExempt, loopback
	})
	endpoint("both", func(ep *policy.Endpoint) { ep.Tenants = []string{"acme", "globex"} })
	endpoint("all", func(ep *policy.Endpoint) { ep.AllTenants, ep.Client = true, proxies })
	endpoint("own", func(ep *policy.Endpoint) { ep.Policies = list(t, "198.51.100.0/24", "deny 198.51.100.66") })
	endpoint("by-forwarded", func(ep *policy.Endpoint) {
		ep.Tenants, ep.HTTP, ep.Client = acme, nil, proxies
		ep.Client.Source = policy.Forwarded
	})
	endpoint("health", func(ep *policy.Endpoint) {
		ep.Tenants, ep.Client = acme, proxies
		ep.HTTP.Health, ep.HTTP.HealthFrom = "/healthz", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	return s
}

var through = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "through") })

// ask puts one request to an endpoint of g.
func ask(g *Gate, endpoint, remote string, change func(*http.Request)) *http.Response {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr, r.Host = remote, "acme.example.com"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	g.Handler(endpoint, through).ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func host(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }

func header(lines ...string) func(*http.Request) {
	return func(r *http.Request) {
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Add(name, value)
		}
	}
}

func xff(chain ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header["X-Forwarded-For"] = chain }
}

func both(a, b func(*http.Request)) func(*http.Request) {
	return func(r *http.Request) { a(r); b(r) }
}

const text = "IP not whitelisted. Found x-forwarded-for header: "

// A row's number is its name and is never given to another.
func TestHandler(t *testing.T) {
	g := New(Config{})
	g.Set(compile(t, towns(t)))
	tests := []struct {
		name, endpoint, remote string
		change                 func(*http.Request)
		want                   string // the refusal; "" for through
	}{
		// By peer.
		{"100-listed", "acme", "203.0.113.7:1", nil, ""},
		{"101-not-listed", "acme", "198.51.100.7:1", nil, text + "198.51.100.7, orgId: acme"},
		{"102-system-denies", "acme", "203.0.113.66:1", nil, text + "203.0.113.66, orgId: acme"},
		{"103-ipv6", "acme", "[2001:db8::7]:1", nil, ""},
		{"104-ipv6-canonical", "acme", "[2001:DB9:0:0:0:0:0:7]:1", nil, text + "2001:db9::7, orgId: acme"},
		{"105-mapped-peer", "acme", "[::ffff:203.0.113.7]:1", nil, ""},
		{"106-zone", "acme", "[fe80::1%eth0]:1", nil, text + "fe80::1, orgId: acme"},
		{"107-header-of-a-peer-endpoint", "acme", "198.51.100.7:1", xff("203.0.113.7"), text + "198.51.100.7, orgId: acme"},
		{"108-no-peer", "acme", "@", nil, text + "none, orgId: acme"},

		// By X-Forwarded-For.
		{"200-listed", "acme-xff", "192.0.2.1:1", xff("203.0.113.7"), ""},
		{"201-not-listed", "acme-xff", "192.0.2.1:1", xff("198.51.100.7"), text + "198.51.100.7, orgId: acme"},
		{"202-forged-left-of-the-client", "acme-xff", "192.0.2.1:1", xff("203.0.113.7, 198.51.100.7"), text + "198.51.100.7, orgId: acme"},
		{"203-outsider-forges", "acme-xff", "198.51.100.7:1", xff("203.0.113.7"), text + "198.51.100.7, orgId: acme"},
		{"204-outsider-for-itself", "acme-xff", "203.0.113.7:1", xff("198.51.100.7"), ""},
		{"205-no-header", "acme-xff", "192.0.2.1:1", nil, text + "none, orgId: acme"},
		{"206-garbage", "acme-xff", "192.0.2.1:1", xff("203.0.113.7, <script>"), text + "none, orgId: acme"},
		{"207-canonical", "acme-xff", "192.0.2.1:1", xff("[2001:DB9:0::7]:80"), text + "2001:db9::7, orgId: acme"},
		{"208-mapped-text", "acme-xff", "192.0.2.1:1", xff("::ffff:203.0.113.7"), text + "::ffff:203.0.113.7, orgId: acme"},
		{"209-other-headers", "acme-xff", "192.0.2.1:1", header("Forwarded: for=203.0.113.7", "X-Real-Ip: 203.0.113.7"), text + "none, orgId: acme"},
		{"210-exhausted-peer", "acme-else-peer", "192.0.2.1:1", nil, text + "192.0.2.1, orgId: acme"},
		{"211-exhausted-leftmost", "acme-else-leftmost", "192.0.2.1:1", xff("192.0.2.3, 192.0.2.2"), text + "192.0.2.3, orgId: acme"},
		{"212-hops", "acme-hops", "192.0.2.1:1", xff("8.8.8.8, 203.0.113.7, 9.9.9.9"), ""},

		// The tenant.
		{"300-one-whatever-the-host", "acme", "203.0.113.7:1", host("globex.example.com"), ""},
		{"301-one-strict", "acme-strict", "203.0.113.7:1", nil, ""},
		{"302-one-strict-other-host", "acme-strict", "203.0.113.7:1", host("globex.example.com"), text + "203.0.113.7, orgId: none"},
		{"303-by-host", "both", "198.51.100.1:1", host("globex.example.com"), ""},
		{"304-by-host-other", "both", "198.51.100.1:1", host("acme.example.com"), text + "198.51.100.1, orgId: acme"},
		{"305-host-with-port-dot-and-case", "both", "203.0.113.7:1", host("ACME.Example.com.:8443"), ""},
		{"306-pattern", "both", "198.51.100.1:1", host("eu.globex.example.com"), ""},
		{"307-pattern-is-one-label", "both", "198.51.100.1:1", host("a.eu.globex.example.com"), text + "198.51.100.1, orgId: none"},
		{"308-unknown-host", "both", "203.0.113.7:1", host("nobody.example.com"), text + "203.0.113.7, orgId: none"},
		{"309-no-host", "both", "203.0.113.7:1", host(""), text + "203.0.113.7, orgId: none"},
		{"310-tenant-of-another-endpoint", "both", "203.0.113.7:1", host("open.example.com"), text + "203.0.113.7, orgId: none"},
		{"311-all-tenants", "all", "192.0.2.1:1", both(host("open.example.com"), xff("8.8.8.8")), ""},
		{"312-all-tenants-unknown-host", "all", "192.0.2.1:1", both(host("x"), xff("8.8.8.8")), text + "8.8.8.8, orgId: none"},
		{"313-ipv6-host", "both", "203.0.113.7:1", host("[2001:DB8:0::1]:80"), ""},
		{"314-ipv4-host", "both", "198.51.100.1:1", host("203.0.113.10:80"), ""},
		{"315-a-label", "both", "203.0.113.7:1", host("XN--BCHER-kva.example"), ""},
		{"316-u-label", "both", "203.0.113.7:1", host("bücher.example"), text + "203.0.113.7, orgId: none"},
		{"317-unknown-host-and-system", "both", "203.0.113.66:1", host("x"), text + "203.0.113.66, orgId: none"},
		{"318-without-tenants", "own", "198.51.100.7:1", host("x"), ""},
		{"319-without-tenants-refused", "own", "203.0.113.7:1", host("acme.example.com"), text + "203.0.113.7, orgId: none"},
		{"320-without-tenants-denied", "own", "198.51.100.66:1", nil, text + "198.51.100.66, orgId: none"},
		{"321-hidden", "acme-hidden", "198.51.100.7:1", nil, text + "198.51.100.7, orgId: none"},

		// Break-glass.
		{"400-judge", "acme", "127.0.0.1:1", nil, text + "127.0.0.1, orgId: acme"},
		{"401-exempt", "acme-exempt", "127.0.0.1:1", nil, ""},
		{"402-exempt-ipv6", "acme-exempt", "[::1]:1", nil, ""},
		{"403-exempt-mapped", "acme-exempt", "[::ffff:127.0.0.1]:1", nil, ""},
		{"404-with-forwarding-header", "acme-exempt", "127.0.0.1:1", xff("8.8.8.8"), text + "127.0.0.1, orgId: acme"},
		{"405-with-empty-forwarding-header", "acme-exempt", "127.0.0.1:1", xff(""), text + "127.0.0.1, orgId: acme"},
		{"406-with-another-forwarding-header", "acme-exempt", "127.0.0.1:1", header("X_Real.ip: 8.8.8.8"), text + "127.0.0.1, orgId: acme"},
		{"407-forwarded-loopback", "acme-xff-exempt", "127.0.0.1:1", xff("127.0.0.1, 127.0.0.2"), text + "127.0.0.2, orgId: acme"},

		// Mode.
		{"500-monitor", "acme-monitor", "198.51.100.7:1", nil, ""},
		{"501-monitor-no-address", "acme-monitor", "192.0.2.1:1", xff("junk"), ""},
		{"502-off", "acme-off", "198.51.100.7:1", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := ask(g, tt.endpoint, tt.remote, tt.change)
			status, want := http.StatusForbidden, tt.want
			if want == "" {
				status, want = http.StatusOK, "through"
			}
			if got := body(t, resp); resp.StatusCode != status || got != want {
				t.Errorf("%d %q, want %d %q", resp.StatusCode, got, status, want)
			}
		})
	}
}

func TestUnmap(t *testing.T) {
	s := towns(t)
	s.Unmap = true
	g := New(Config{})
	g.Set(compile(t, s))
	if got := body(t, ask(g, "acme-xff", "192.0.2.1:1", xff("::ffff:203.0.113.7"))); got != "through" {
		t.Errorf("listed: %q", got)
	}
	if got, want := body(t, ask(g, "acme-xff", "192.0.2.1:1", xff("::ffff:c633:6407"))), text+"198.51.100.7, orgId: acme"; got != want {
		t.Errorf("not listed: %q, want %q", got, want)
	}
}

func TestControlInHost(t *testing.T) {
	g := New(Config{})
	g.Set(compile(t, towns(t)))
	for _, h := range []string{"acme.example.com\x00", "acme\n.example.com", "\x7f"} {
		if resp := ask(g, "acme", "203.0.113.7:1", host(h)); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("Host %q: %d", h, resp.StatusCode)
		}
	}
}

func TestPolicyUnknown(t *testing.T) {
	table := compile(t, towns(t))
	watching := towns(t)
	watching.Mode = policy.Monitor
	tests := []struct {
		name     string
		set      func(*Gate)
		endpoint string
		want     int
	}{
		{"none-yet", func(*Gate) {}, "acme", 503},
		{"none-yet-said-so", func(g *Gate) { g.Set(nil) }, "acme", 503},
		{"health-of-none", func(*Gate) {}, "health", 503},
		{"no-such-endpoint", func(g *Gate) { g.Set(table) }, "nowhere", 503},
		{"no-such-source", func(g *Gate) { g.Set(table) }, "by-forwarded", 503},
		{"no-such-endpoint-of-a-monitor", func(g *Gate) { g.Set(compile(t, watching)) }, "nowhere", 200},
		{"lost", func(g *Gate) { g.Set(table); g.Set(nil) }, "acme", 503},
		{"lost-health", func(g *Gate) { g.Set(table); g.Set(nil) }, "health", 503},
		{"lost-twice", func(g *Gate) { g.Set(table); g.Set(nil); g.Set(nil) }, "acme", 503},
		{"lost-monitor", func(g *Gate) { g.Set(table); g.Set(nil) }, "acme-monitor", 200},
		{"lost-monitor-of-the-agent", func(g *Gate) { g.Set(compile(t, watching)); g.Set(nil) }, "acme", 200},
		{"found-again", func(g *Gate) { g.Set(table); g.Set(nil); g.Set(table) }, "acme", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var seen Decision
			g := New(Config{Observe: func(d Decision) { seen = d }})
			tt.set(g)
			remote := "203.0.113.7:1"
			if tt.endpoint == "health" {
				remote = "192.0.2.1:1"
			}
			resp := ask(g, tt.endpoint, remote, func(r *http.Request) { r.URL.Path = "/healthz" })
			if resp.StatusCode != tt.want {
				t.Errorf("%d, want %d", resp.StatusCode, tt.want)
			}
			if got := body(t, resp); tt.want == 503 && (got != "policy unknown" || !seen.Unknown || !seen.Refused()) {
				t.Errorf("body %q, decision %+v", got, seen)
			}
			if tt.want == 503 && resp.Header.Get("X-Trace-Id") == "" {
				t.Error("no X-Trace-Id")
			}
		})
	}
}

// A handler follows every revision, also when its endpoint stands elsewhere, is
// gone, or comes back.
func TestSet(t *testing.T) {
	g := New(Config{})
	h := g.Handler("acme", through)
	status := func(s *policy.State) int {
		g.Set(compile(t, s))
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "203.0.113.7:1"
		h.ServeHTTP(w, r)
		return w.Code
	}
	first := towns(t)
	moved := towns(t)
	moved.Endpoints = append(moved.Endpoints[1:], moved.Endpoints[0])
	gone := towns(t)
	gone.Endpoints = gone.Endpoints[1:]
	empty := &policy.State{}
	edited := towns(t)
	edited.Tenants.Get("acme").Lists[policy.AnyResource] = list(t, "198.51.100.0/24")
	for i, step := range []struct {
		s    *policy.State
		want int
	}{{first, 200}, {edited, 403}, {moved, 200}, {gone, 503}, {first, 200}, {empty, 503}, {moved, 200}} {
		if got := status(step.s); got != step.want {
			t.Errorf("step %d: %d, want %d", i, got, step.want)
		}
	}
}

// Requests that meet a change are judged by one revision or the other: both
// admit this one, and a mixture of them would not.
func TestSetUnderRequests(t *testing.T) {
	turned := towns(t)
	slices.Reverse(turned.Endpoints)
	tables := []*policy.Table{compile(t, towns(t)), compile(t, turned)}
	g := New(Config{})
	g.Set(tables[0])
	h := g.Handler("acme", through)
	var asking sync.WaitGroup
	for range 2 {
		asking.Go(func() {
			for range 2000 {
				w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
				r.RemoteAddr = "203.0.113.7:1"
				if h.ServeHTTP(w, r); w.Code != http.StatusOK {
					t.Errorf("%d %s", w.Code, w.Body)
					return
				}
			}
		})
	}
	for i := range 2000 {
		g.Set(tables[i%2])
	}
	asking.Wait()
}

func TestObserve(t *testing.T) {
	var seen []Decision
	g := New(Config{Observe: func(d Decision) { seen = append(seen, d) }})
	g.Set(compile(t, towns(t)))
	tests := []struct {
		name, endpoint, remote string
		change                 func(*http.Request)
		allow, enforced        bool
		reason                 policy.Reason
		tenant, client         string
		found                  clientip.Found
	}{
		{"allowed", "acme", "203.0.113.7:1", nil, true, true, policy.Listed, "acme", "203.0.113.7", clientip.AsPeer},
		{"refused", "acme", "198.51.100.7:1", nil, false, true, policy.NotListed, "acme", "198.51.100.7", clientip.AsPeer},
		{"denied", "acme", "203.0.113.66:1", nil, false, true, policy.DenyEntry, "acme", "203.0.113.66", clientip.AsPeer},
		{"forwarded", "acme-xff", "192.0.2.1:1", xff("203.0.113.7"), true, true, policy.Listed, "acme", "203.0.113.7", clientip.InChain},
		{"no-address", "acme-xff", "192.0.2.1:1", xff("junk"), false, true, policy.NoAddress, "acme", "invalid IP", clientip.Unreadable},
		{"unknown-tenant", "both", "203.0.113.7:1", host("x"), false, true, policy.UnknownTenant, "", "203.0.113.7", clientip.AsPeer},
		{"system-before-unknown-tenant", "both", "203.0.113.66:1", host("x"), false, true, policy.DenyEntry, "", "203.0.113.66", clientip.AsPeer},
		{"monitor", "acme-monitor", "192.0.2.1:1", xff("8.8.8.8"), false, false, policy.NotListed, "acme", "8.8.8.8", clientip.InChain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seen = nil
			resp := ask(g, tt.endpoint, tt.remote, tt.change)
			if len(seen) != 1 {
				t.Fatalf("observed %d times, want once", len(seen))
			}
			d := seen[0]
			if d.Verdict.Allow != tt.allow || d.Verdict.Enforced != tt.enforced || d.Verdict.Reason != tt.reason {
				t.Errorf("verdict %v, enforced %v, %s", d.Verdict.Allow, d.Verdict.Enforced, d.Verdict.Reason)
			}
			if d.Endpoint != tt.endpoint || d.Tenant != tt.tenant || d.Client.String() != tt.client || d.Found != tt.found {
				t.Errorf("%s, tenant %q, client %v (%s)", d.Endpoint, d.Tenant, d.Client, d.Found)
			}
			if d.Tenant == "" && d.Verdict.Tenant != "" {
				t.Errorf("no tenant, and the list of %q", d.Verdict.Tenant)
			}
			if d.Trace != resp.Header.Get("X-Trace-Id") {
				t.Errorf("trace %q, the answer says %q", d.Trace, resp.Header.Get("X-Trace-Id"))
			}
		})
	}
	seen = nil
	ask(g, "acme-off", "198.51.100.7:1", nil)
	if len(seen) != 0 {
		t.Errorf("an endpoint that is off was observed: %+v", seen)
	}
}

func TestDecisionOf(t *testing.T) {
	g := New(Config{})
	g.Set(compile(t, towns(t)))
	var got Decision
	h := g.Handler("acme-xff", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got, _ = DecisionOf(r.Context())
	}))
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "192.0.2.1:1"
	xff("203.0.113.7")(r)
	h.ServeHTTP(httptest.NewRecorder(), r)
	if got.Client.String() != "203.0.113.7" || got.Tenant != "acme" || !got.Vouched {
		t.Errorf("%+v", got)
	}
	if _, ok := DecisionOf(t.Context()); ok {
		t.Error("a decision where there was none")
	}
}

func TestHealth(t *testing.T) {
	g := New(Config{})
	g.Set(compile(t, towns(t)))
	for _, tt := range []struct {
		name, method, path, remote string
		want                       int
		body                       string
	}{
		{"proxy", "GET", "/healthz", "192.0.2.1:1", 200, "ok\n"},
		{"checker", "GET", "/healthz", "10.1.2.3:1", 200, "ok\n"},
		{"head", "HEAD", "/healthz", "10.1.2.3:1", 200, ""},
		{"query", "GET", "/healthz?x=1", "10.1.2.3:1", 200, "ok\n"},
		{"post", "POST", "/healthz", "10.1.2.3:1", 403, text + "10.1.2.3, orgId: acme"},
		{"other-path", "GET", "/healthz/", "10.1.2.3:1", 403, text + "10.1.2.3, orgId: acme"},
		{"encoded-path", "GET", "/health%7A", "10.1.2.3:1", 403, text + "10.1.2.3, orgId: acme"},
		{"client", "GET", "/healthz", "203.0.113.7:1", 200, "through"},
		{"stranger", "GET", "/healthz", "198.51.100.7:1", 403, text + "198.51.100.7, orgId: acme"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.path, nil)
			r.RemoteAddr = tt.remote
			w := httptest.NewRecorder()
			g.Handler("health", through).ServeHTTP(w, r)
			if w.Code != tt.want || w.Body.String() != tt.body {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, tt.want, tt.body)
			}
		})
	}
}
