package config

import (
	"maps"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// shape compares configurations as they read, wherever their words stand.
var shape = cmp.Options{
	cmpopts.IgnoreUnexported(Config{}, Lists{}),
	cmp.Comparer(func(a, b addr.Range) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	sameMaps,
	cmp.Transformer("nowhere", func(policy.Pos) string { return "" }),
}

// sameMaps compares tenants by what they say.
var sameMaps = cmp.Transformer("tenants", func(m policy.Map[policy.Tenant]) map[string]*policy.Tenant {
	return maps.Collect(m.All())
})

const everything = `
-- postern.yaml --
interfaces: [eth0, bond0.7]
mode: monitor
unlisted: closed
mapped: unmap
filtering: off
mpls: pass
tunnels: {from: [192.0.2.0-192.0.2.2]}
failsafe:
  - {protocol: tcp, ports: [22], from: [10.0.0.0/8]}
  - {protocol: udp, ports: 1-9, from: ["::1"]}
list_dirs: [lists.d, /nowhere/lists.d]
resources: [reports]
store: {path: /srv/postern}
api:
  listen: ["unix:///run/p.sock", "https://:9440"]
  group: adm
  tls: {cert: tls/a.crt, key: /etc/a.key}
  dialects:
    - {name: trustx, listen: "http://127.0.0.1:9450", tenant: "{tenant}.{region}.trustx.com"}
    - {name: hdp, listen: "http://localhost:9451"}
    - {name: northflank, listen: "https://[::1]:9452/", dns: "{name}--{service}--{project}.example.com", certificates: [app.pem]}
    - {name: port, listen: "unix:///run/port.sock"}
  client: xff
  proxies: [192.0.2.0/24]
  trusted_hops: 2
  max_body: 2MiB
  max_entries: 100000
  max_connections: 10
  rate: {requests: 5, per: 1m}
  guard: {ports: [22, 2222-2223]}
  audit: {dir: audit, rotate: 65536, keep: 3, syslog: true}
  history: {revisions: 100}
  published:
    - {name: API EU, purpose: the API, hosts: [api.example.com], ports: [443], privatelink: com.amazonaws.vpce.x, region: eu-west-1}
    - {name: outbound, addresses: [192.0.2.1, 198.51.100.0/24]}
metrics: {listen: "127.0.0.1:9441"}
endpoints:
  - name: acme-data
    address: 203.0.113.10
    ports: [443, 8000-8010]
    tenants: [acme, 3]
    resource: dataAccess
    policies:
      - {action: deny, addresses: [198.51.100.66, 198.51.100.0/28]}
      - {addresses: [198.51.100.0/24]}
    unlisted: open
    loopback: exempt
    verificationMode: or
    mode: off
    project: shop
    service: web
  - name: portal
    ports: 8080
    tenants: []
    client: header:x-real-ip
    proxies: [192.0.2.0/24, "2001:db8::1"]
    trusted_hops: 2
    exhausted: leftmost
    refuse: respond
    hosts: strict
    http:
      listen: ":8080"
      upstream: "http://127.0.0.1:3000"
      health: {path: /up, from: [198.51.100.1]}
      refusal: {org: hide}
  - {name: router, protocol: any, address: 198.51.100.77/24}
  - {name: dns, protocol: udp, address: everything, ports: all}
`

func TestRead(t *testing.T) {
	dir := unpack(t, everything)
	file := filepath.Join(dir, "postern.yaml")
	got, problems := Read(file)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	p := netip.MustParsePrefix
	entry := func(text string, action policy.Action) policy.Entry {
		r, err := addr.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return policy.Entry{Text: text, Range: r, Action: action}
	}
	want := &Config{
		File: file, Interfaces: []string{"eth0", "bond0.7"},
		ListDirs:  []string{filepath.Join(dir, "lists.d"), "/nowhere/lists.d"},
		StorePath: "/srv/postern", MetricsListen: "127.0.0.1:9441",
		API: API{
			Listen: []string{"unix:///run/p.sock", "https://:9440"}, Group: "adm",
			TLS: TLS{Cert: filepath.Join(dir, "tls/a.crt"), Key: "/etc/a.key"},
			Dialects: []Dialect{
				{Name: "trustx", Listen: "http://127.0.0.1:9450", Tenant: "{tenant}.{region}.trustx.com"},
				{Name: "hdp", Listen: "http://localhost:9451"},
				{
					Name: "northflank", Listen: "https://[::1]:9452/", DNS: "{name}--{service}--{project}.example.com",
					Certificates: []string{filepath.Join(dir, "app.pem")},
				},
				{Name: "port", Listen: "unix:///run/port.sock"},
			},
			Client:  policy.Client{Source: policy.XForwardedFor, Proxies: []netip.Prefix{p("192.0.2.0/24")}, Hops: 2},
			MaxBody: 2 << 20, MaxEntries: 100_000, MaxConnections: 10, Rate: Rate{5, time.Minute},
			GuardPorts: []policy.PortRange{{First: 22, Last: 22}, {First: 2222, Last: 2223}},
			Audit:      Audit{Dir: filepath.Join(dir, "audit"), FileSize: 1 << 16, Keep: 3, Syslog: true},
			Revisions:  100,
			Published: []Published{
				{
					Name: "API EU", Purpose: "the API", Hosts: []string{"api.example.com"}, Ports: []policy.PortRange{{First: 443, Last: 443}},
					PrivateLink: "com.amazonaws.vpce.x", Region: "eu-west-1",
				},
				{Name: "outbound", Addresses: []string{"192.0.2.1", "198.51.100.0/24"}},
			},
		},
		State: &policy.State{
			Mode: policy.Monitor, Unlisted: policy.UnlistedClosed, Unmap: true, FilteringOff: true, PassMPLS: true,
			TunnelsFrom: []netip.Prefix{p("192.0.2.0/31"), p("192.0.2.2/32")},
			Failsafe: []policy.Failsafe{
				{Ports: []policy.PortRange{{First: 22, Last: 22}}, From: []netip.Prefix{p("10.0.0.0/8")}},
				{Protocol: policy.UDP, Ports: []policy.PortRange{{First: 1, Last: 9}}, From: []netip.Prefix{p("::1/128")}},
			},
			Resources: []string{"reports"},
			Endpoints: []*policy.Endpoint{
				{
					Name: "acme-data", Destination: policy.Destination{Prefix: p("203.0.113.10/32")},
					Ports:   []policy.PortRange{{First: 443, Last: 443}, {First: 8000, Last: 8010}},
					Tenants: []string{"acme", "3"}, Resource: "dataAccess",
					Policies: &policy.List{Owner: file, Entries: []policy.Entry{
						entry("198.51.100.66", policy.Deny), entry("198.51.100.0/28", policy.Deny), entry("198.51.100.0/24", policy.Allow),
					}},
					Unlisted: policy.UnlistedOpen, Loopback: policy.LoopbackExempt, Verify: policy.VerifyOr, Mode: policy.Off,
					Project: "shop", Service: "web",
				},
				{
					Name: "portal", Ports: []policy.PortRange{{First: 8080, Last: 8080}}, Tenants: []string{}, Resource: "*",
					Client: policy.Client{
						Source: policy.HeaderField, Header: "X-Real-Ip",
						Proxies: []netip.Prefix{p("192.0.2.0/24"), p("2001:db8::1/128")}, Hops: 2, Exhausted: policy.ExhaustedLeftmost,
					},
					Refuse: policy.RefuseRespond, StrictHosts: true,
					HTTP: &policy.HTTP{
						Listen: ":8080", Upstream: "http://127.0.0.1:3000",
						Health: "/up", HealthFrom: []netip.Prefix{p("198.51.100.1/32")}, HideOrg: true,
					},
				},
				{Name: "router", Protocol: policy.AnyProtocol, AllTenants: true, Resource: "*", Destination: policy.Destination{Prefix: p("198.51.100.0/24")}},
				{
					Name: "dns", Protocol: policy.UDP, AllTenants: true, Resource: "*",
					Destination: policy.Destination{Everything: true}, Ports: []policy.PortRange{policy.AllPorts},
				},
			},
		},
	}
	if diff := cmp.Diff(want, got, shape); diff != "" {
		t.Error(diff)
	}
}

// A word is read as it was typed: YAML 1.1 would make false of off.
func TestReadKeepsWords(t *testing.T) {
	dir := unpack(t, `
-- list.yaml --
tenant: 007
hosts: [On.Example.COM., "{x}.example.com", "[2001:DB8::1]", 1.2.3.4]
lists:
  "*": {state: off, entries: [{address: 10.0.0.1, enabled: false}]}
users: {010: {webUI: []}, true: {webUI: []}}
`)
	l, problems := readFiles([]string{filepath.Join(dir, "list.yaml")})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	tenant := l.Tenants.Get("007")
	if tenant == nil {
		t.Fatalf("tenants %v, want 007", l.Tenants)
	}
	if diff := cmp.Diff([]string{"on.example.com", "*.example.com", "2001:db8::1", "1.2.3.4"}, tenant.Hosts); diff != "" {
		t.Error(diff)
	}
	if got := tenant.Lists["*"]; got.State != policy.ListOff || !got.Entries[0].Disabled {
		t.Errorf("list %+v, want off and its entry disabled", got)
	}
	if tenant.Users["010"] == nil || tenant.Users["true"] == nil {
		t.Errorf("users %v, want 010 and true", tenant.Users)
	}
}

// Nine lines that unfold to a billion strings cost no more than nine lines.
func TestReadAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a: &a [x, x, x, x, x, x, x, x, x, x]\n")
	for c := 'b'; c <= 'i'; c++ {
		b.WriteString(string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 9) + "*" + string(c-1) + "]\n")
	}
	b.WriteString("interfaces: *i\n")
	dir := t.TempDir()
	file := filepath.Join(dir, "postern.yaml")
	write(t, file, b.String())
	began := time.Now()
	_, problems := Read(file)
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %v", took)
	}
	last := problems[len(problems)-1].String()
	if want := file + ":10: interfaces is the alias *i, and aliases are not read; write it out"; last != want {
		t.Errorf("last problem %q, want %q", last, want)
	}
}

func TestReadUnreadable(t *testing.T) {
	dir := t.TempDir()
	c, problems := Read(filepath.Join(dir, "none.yaml"))
	if want := dir + "/none.yaml: read: no such file or directory"; problems.Error() != want {
		t.Errorf("problems %q, want %q", problems, want)
	}
	if c == nil || c.StorePath != "/var/lib/postern" {
		t.Errorf("config %+v, want the defaults", c)
	}
	_, problems = Read(dir)
	if want := dir + ": read: not a regular file"; problems.Error() != want {
		t.Errorf("problems %q, want %q", problems, want)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte("tenant: a\nlists:\n  *: [::1, *x]\n  - 2001:db8::\n"))
	f.Add([]byte("a: &a [*a]\n---\n? {b: c}\n: d\n"))
	f.Add([]byte("\"*\": !!binary x\n<<: {mode: off}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{file: "f"}
		root := r.parse(data)
		if root == nil {
			if r.found.Err() == nil {
				t.Error("nothing read, and no error")
			}
			return
		}
		c := &Config{State: &policy.State{}}
		(&reader{file: "f"}).config(root, c)
		c.State.Check()
		says := (&reader{file: "f"}).listFile(root)
		l := &Lists{}
		l.take(map[string]*source{"f": {says: says}})
		policy.Lint(c.With(l), now)
	})
}
