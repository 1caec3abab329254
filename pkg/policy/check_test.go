package policy

import (
	"net/netip"
	"strings"
	"testing"
)

func ports(ranges ...PortRange) []PortRange { return ranges }

func web() *Endpoint {
	return &Endpoint{Name: "web", Ports: ports(PortRange{443, 443}), AllTenants: true, Resource: AnyResource, Pos: Pos{"p.yaml", 7}}
}

func with(change func(*Endpoint)) *Endpoint {
	ep := web()
	ep.Name, ep.Pos = "other", Pos{"p.yaml", 9}
	change(ep)
	return ep
}

func prefixOf(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestCheck(t *testing.T) {
	other := func(change func(*Endpoint)) *State {
		return &State{Endpoints: []*Endpoint{web(), with(change)}}
	}
	tenant := func(id string, hosts ...string) *Tenant {
		return &Tenant{ID: id, Hosts: hosts, Pos: Pos{id + ".yaml", 1}}
	}
	tenants := func(ts ...*Tenant) *State {
		s := &State{}
		for _, t := range ts {
			s.Tenants = s.Tenants.With(t.ID, t)
		}
		return s
	}
	tests := []struct {
		name  string
		state *State
		want  string
	}{
		{name: "nothing", state: &State{}},
		{name: "longest-texts", state: tenants(&Tenant{
			ID: "acme", Name: strings.Repeat("é", MaxName),
			Lists: map[string]*List{"*": {Entries: []Entry{{Comment: strings.Repeat("é", MaxComment)}}}},
		})},
		{
			name: "long-texts", state: tenants(&Tenant{
				ID: "acme", Name: strings.Repeat("n", MaxName+1), Names: map[string]string{"1": strings.Repeat("n", MaxName+2)}, Pos: Pos{"acme.yaml", 1},
				Lists: map[string]*List{"*": {Entries: []Entry{{Comment: strings.Repeat("x", MaxComment+1), Pos: Pos{"acme.yaml", 3}}}}},
			}),
			want: "acme.yaml:1: name has 256 characters; use at most 255\nacme.yaml:1: name has 257 characters; use at most 255\n" +
				"acme.yaml:3: comment has 1025 characters; use at most 1024",
		},
		{
			name: "long-comment-of-an-endpoint", state: other(func(ep *Endpoint) {
				ep.Ports, ep.Policies = ports(PortRange{1, 1}), &List{Entries: []Entry{{Comment: strings.Repeat("x", MaxComment+1), Pos: Pos{"p.yaml", 11}}}}
			}),
			want: "p.yaml:11: comment has 1025 characters; use at most 1024",
		},
		{name: "one-endpoint", state: &State{Endpoints: []*Endpoint{web()}}},

		{
			name: "endpoint-without-name", state: other(func(ep *Endpoint) { ep.Name = ""; ep.Ports = ports(PortRange{1, 1}) }),
			want: `p.yaml:9: endpoint "" is no id; use letters, digits and . _ -, at most 64, a letter or digit first`,
		},
		{
			name: "endpoint-name-with-blank", state: other(func(ep *Endpoint) { ep.Name = "a b"; ep.Ports = ports(PortRange{1, 1}) }),
			want: `p.yaml:9: endpoint "a b" is no id; use letters, digits and . _ -, at most 64, a letter or digit first`,
		},
		{
			name: "endpoint-name-twice", state: other(func(ep *Endpoint) { ep.Name = "web"; ep.Ports = ports(PortRange{1, 1}) }),
			want: "p.yaml:9: endpoint web is in p.yaml:7 already; give it another name",
		},
		{
			name: "endpoint-tenant-no-id", state: other(func(ep *Endpoint) {
				ep.AllTenants, ep.Tenants, ep.Ports = false, []string{"-x"}, ports(PortRange{1, 1})
			}),
			want: `p.yaml:9: endpoint other: tenant "-x" is no id; use letters, digits and . _ -, at most 64, a letter or digit first`,
		},
		{
			name: "endpoint-service-no-id", state: other(func(ep *Endpoint) {
				ep.Project, ep.Service, ep.Ports = "shop", "a/b", ports(PortRange{1, 1})
			}),
			want: `p.yaml:9: endpoint other: service "a/b" is no id; use letters, digits and . _ -, at most 64, a letter or digit first`,
		},
		{
			name: "endpoint-resource-near", state: other(func(ep *Endpoint) { ep.Resource = "dataAcess"; ep.Ports = ports(PortRange{1, 1}) }),
			want: `p.yaml:9: endpoint other: resource "dataAcess" is unknown; did you mean dataAccess?`,
		},
		{
			name: "no-ports", state: other(func(ep *Endpoint) { ep.Ports = nil }),
			want: "p.yaml:9: endpoint other: no ports; name the ports, or write ports: all",
		},
		{
			name: "any-without-address", state: other(func(ep *Endpoint) { ep.Protocol, ep.Ports = AnyProtocol, nil }),
			want: "p.yaml:9: endpoint other: protocol any without an address would guard all the host has; name the address",
		},
		{
			name: "any-at-everything", state: other(func(ep *Endpoint) { ep.Protocol, ep.Ports, ep.Destination.Everything = AnyProtocol, nil, true }),
			want: "p.yaml:9: endpoint other: protocol any without an address would guard all the host has; name the address",
		},
		{
			name: "any-with-ports", state: other(func(ep *Endpoint) { ep.Protocol = AnyProtocol; ep.Destination.Prefix = prefixOf("192.0.2.1/32") }),
			want: "p.yaml:9: endpoint other: protocol any has no ports of its own; remove them",
		},
		{
			name: "mapped-destination", state: other(func(ep *Endpoint) { ep.Destination.Prefix = prefixOf("::ffff:192.0.2.1/128") }),
			want: "p.yaml:9: endpoint other: address ::ffff:192.0.2.1/128 is IPv4-mapped, and on the wire it is IPv4; write 192.0.2.1",
		},
		{
			name: "respond-without-http", state: other(func(ep *Endpoint) { ep.Refuse = RefuseRespond; ep.Ports = ports(PortRange{1, 1}) }),
			want: "p.yaml:9: endpoint other: refuse: respond, and no http to respond with; add http, or write refuse: drop",
		},
		{
			name: "xff-without-proxies", state: other(func(ep *Endpoint) { ep.Client.Source = XForwardedFor; ep.Ports = ports(PortRange{1, 1}) }),
			want: "p.yaml:9: endpoint other: client xff without proxies would believe everybody; name them",
		},
		{
			name: "proxy-is-everybody", state: other(func(ep *Endpoint) {
				ep.Client = Client{Source: XForwardedFor, Proxies: []netip.Prefix{prefixOf("10.0.0.0/8"), prefixOf("::/0")}}
				ep.Ports = ports(PortRange{1, 1})
			}),
			want: "p.yaml:9: endpoint other: proxy ::/0 would believe everybody; name the proxies' own addresses",
		},
		{
			name: "proxies-of-peer", state: other(func(ep *Endpoint) {
				ep.Client.Proxies, ep.Ports = []netip.Prefix{prefixOf("10.0.0.0/8")}, ports(PortRange{1, 1})
			}),
			want: "p.yaml:9: endpoint other: proxies speak for nobody while client is peer; write client: xff, or remove them",
		},
		{
			name: "hops-of-peer", state: other(func(ep *Endpoint) { ep.Client.Hops, ep.Ports = 2, ports(PortRange{1, 1}) }),
			want: "p.yaml:9: endpoint other: trusted_hops counts nothing while client is peer; write client: xff, or remove it",
		},
		{
			name: "http-forwarded", state: other(func(ep *Endpoint) {
				ep.Client = Client{Source: Forwarded, Proxies: []netip.Prefix{prefixOf("10.0.0.0/8")}}
				ep.HTTP, ep.Ports = &HTTP{}, ports(PortRange{1, 1})
			}),
			want: "p.yaml:9: endpoint other: client forwarded, and http reads peer or xff; write client: xff",
		},
		{
			name: "http-over-udp", state: other(func(ep *Endpoint) { ep.Protocol, ep.HTTP = UDP, &HTTP{} }),
			want: "p.yaml:9: endpoint other: http over protocol udp; write protocol: tcp",
		},
		{
			name: "http-answers-at-one-port", state: other(func(ep *Endpoint) {
				ep.HTTP, ep.Ports = &HTTP{Listen: ":8080"}, ports(PortRange{8080, 8080}, PortRange{9090, 9090})
			}),
			want: "p.yaml:9: endpoint other: refusals are answered at port 8080 only, and its other ports would pass unjudged; " +
				"make the others an endpoint of their own, or write refuse: drop",
		},
		{
			name: "http-answers-elsewhere", state: other(func(ep *Endpoint) {
				ep.HTTP, ep.Ports = &HTTP{Listen: "127.0.0.1:8080"}, ports(PortRange{8080, 8080})
				ep.Destination.Prefix = netip.MustParsePrefix("203.0.113.11/32")
			}),
			want: "p.yaml:9: endpoint other: refusals are answered at 127.0.0.1 only, and 203.0.113.11 would pass unjudged elsewhere; " +
				`write address: 127.0.0.1, or listen at ":8080"`,
		},
		{
			name: "http-outside-ports", state: other(func(ep *Endpoint) {
				ep.HTTP, ep.Ports = &HTTP{Listen: ":8080"}, ports(PortRange{1, 1}, PortRange{9000, 9010})
			}),
			want: "p.yaml:9: endpoint other: http listens at port 8080, which is not among its ports; add it to ports",
		},
		{
			name: "http-listens-twice", state: &State{Endpoints: []*Endpoint{
				with(func(ep *Endpoint) { ep.Name = "a"; ep.HTTP = &HTTP{Listen: ":443"} }),
				with(func(ep *Endpoint) { ep.HTTP = &HTTP{Listen: ":443"}; ep.Destination.Prefix = prefixOf("192.0.2.1/32") }),
			}},
			want: "p.yaml:9: endpoint other: http listens at :443, as endpoint a does; give it another port",
		},

		{
			name: "collide-same-port", state: other(func(*Endpoint) {}),
			want: "p.yaml:9: endpoint other: tcp port 443 of this host is as much endpoint web's (p.yaml:7); give one of them fewer addresses or ports",
		},
		{
			name: "collide-ranges-of-one-width", state: &State{Endpoints: []*Endpoint{
				with(func(ep *Endpoint) { ep.Name, ep.Ports = "a", ports(PortRange{10, 19}) }),
				with(func(ep *Endpoint) { ep.Ports = ports(PortRange{15, 24}) }),
			}},
			want: "p.yaml:9: endpoint other: tcp port 15-24 of this host is as much endpoint a's (p.yaml:9); give one of them fewer addresses or ports",
		},
		{
			name: "collide-any", state: &State{Endpoints: []*Endpoint{
				with(func(ep *Endpoint) {
					ep.Name, ep.Protocol, ep.Ports, ep.Destination.Prefix = "a", AnyProtocol, nil, prefixOf("192.0.2.0/24")
				}),
				with(func(ep *Endpoint) {
					ep.Protocol, ep.Ports, ep.Destination.Prefix = AnyProtocol, nil, prefixOf("192.0.2.0/24")
				}),
			}},
			want: "p.yaml:9: endpoint other: protocol any of 192.0.2.0/24 is as much endpoint a's (p.yaml:9); give one of them fewer addresses or ports",
		},
		{name: "narrower-range-decides", state: other(func(ep *Endpoint) { ep.Ports = ports(PortRange{440, 449}) })},
		{name: "other-address-decides", state: other(func(ep *Endpoint) { ep.Destination.Prefix = prefixOf("192.0.2.1/32") })},
		{name: "other-protocol", state: other(func(ep *Endpoint) { ep.Protocol = UDP })},
		{name: "everything-beside-this-host", state: other(func(ep *Endpoint) { ep.Destination.Everything = true })},
		{name: "one-endpoint-says-a-port-twice", state: &State{Endpoints: []*Endpoint{
			with(func(ep *Endpoint) { ep.Ports = ports(PortRange{443, 443}, PortRange{443, 443}) }),
		}}},

		{
			name: "failsafe-any", state: &State{Failsafe: []Failsafe{{Protocol: AnyProtocol, Pos: Pos{"p.yaml", 3}}}},
			want: "p.yaml:3: failsafe: protocol any; write tcp or udp",
		},
		{
			name: "failsafe-without-ports", state: &State{Failsafe: []Failsafe{{Pos: Pos{"p.yaml", 3}}}},
			want: "p.yaml:3: failsafe without ports; name the ports",
		},
		{
			name: "failsafe-without-sources", state: &State{Failsafe: []Failsafe{{Ports: ports(PortRange{22, 22}), Pos: Pos{"p.yaml", 3}}}},
			want: "p.yaml:3: failsafe without sources; name them under from",
		},

		{
			name: "resource-no-id", state: &State{Resources: []string{"a/b"}},
			want: `resource "a/b" is no id; use letters, digits and . _ -, at most 64, a letter or digit first`,
		},
		{
			name: "resource-built-in", state: &State{Resources: []string{"webUI"}},
			want: "resource webUI is built in; remove it",
		},
		{
			name: "system-resource-unknown", state: &State{System: map[string]*List{"database": {Pos: Pos{"s.yaml", 2}}}},
			want: `s.yaml:2: resource "database" is unknown; declare it under resources`,
		},
		{name: "resource-declared", state: &State{Resources: []string{"database"}, System: map[string]*List{"database": {}, "*": {}, "adminAPI": {}}}},

		{
			name: "tenant-no-id", state: tenants(tenant("a:b")),
			want: `a:b.yaml:1: tenant "a:b" is no id; use letters, digits and . _ -, at most 64, a letter or digit first`,
		},
		{
			name: "tenant-id-too-long", state: tenants(&Tenant{ID: strings.Repeat("x", 65)}),
			want: `tenant "` + strings.Repeat("x", 65) + `" is no id; use letters, digits and . _ -, at most 64, a letter or digit first`,
		},
		{
			name: "user-no-id", state: tenants(&Tenant{ID: "a", Users: map[string]map[string]*List{"@": nil}}),
			want: `user "@" is no id; use letters, digits and . _ -, at most 64, a letter or digit first`,
		},
		{
			name: "user-resource", state: tenants(&Tenant{ID: "a", Users: map[string]map[string]*List{"1": {"webui": {Pos: Pos{"a.yaml", 4}}}}}),
			want: `a.yaml:4: resource "webui" is unknown; did you mean webUI?`,
		},

		{
			name: "host-in-capitals", state: tenants(tenant("a", "X.example.com")),
			want: `a.yaml:1: tenant a: host "X.example.com" is never looked up so; write x.example.com`,
		},
		{
			name: "host-with-a-port", state: tenants(tenant("a", "x.example.com:443")),
			want: `a.yaml:1: tenant a: host "x.example.com:443": not a name, a pattern or an address`,
		},
		{
			name: "host-of-two", state: tenants(tenant("a", "x.example.com"), tenant("b", "y.example.com", "x.example.com")),
			want: "b.yaml:1: host x.example.com of tenant b may be host x.example.com of tenant a (a.yaml:1); leave it to one of them",
		},
		{
			name: "pattern-of-two", state: tenants(tenant("a", "*.example.com"), tenant("b", "*.example.com")),
			want: "b.yaml:1: host *.example.com of tenant b may be host *.example.com of tenant a (a.yaml:1); leave it to one of them",
		},
		{
			name: "patterns-overlap", state: tenants(tenant("a", "*.example.com", "*.example.net"), tenant("b", "www.*.com")),
			want: "b.yaml:1: host www.*.com of tenant b may be a host of the pattern *.example.com of tenant a (a.yaml:1); leave it to one of them",
		},
		{
			name: "pattern-behind-a-neighbour", state: tenants(tenant("a", "*.p.com"), tenant("b", "*.q.com", "x.*.com")),
			want: "b.yaml:1: host x.*.com of tenant b may be a host of the pattern *.p.com of tenant a (a.yaml:1); leave it to one of them",
		},
		{
			name: "pattern-behind-ones-own", state: tenants(tenant("a", "*.p.com", "x.*.com"), tenant("b", "*.q.com")),
			want: "a.yaml:1: host x.*.com of tenant a may be a host of the pattern *.q.com of tenant b (b.yaml:1); leave it to one of them",
		},
		{name: "own-patterns-overlap", state: tenants(tenant("a", "*.example.com", "www.*.com"))},
		{name: "name-inside-a-pattern", state: tenants(tenant("a", "*.example.com"), tenant("b", "b.example.com"))},
		{name: "patterns-apart", state: tenants(tenant("a", "*.example.com"), tenant("b", "*.www.example.com", "*.example.net"))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.state.Check().Error(); got != tt.want {
				t.Errorf("Check() =\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}
