package policy

import (
	"net/netip"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/addr"
)

// lintTime is when TestLint looks.
var lintTime = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// listOf makes entries of texts, a line each from 1: "-" before one denies, "!"
// disables, "?" has it end an hour hence, "." has ended it.
func listOf(t *testing.T, texts ...string) *List {
	t.Helper()
	l := &List{Pos: Pos{"l.yaml", 100}}
	for i, text := range texts {
		e := Entry{Pos: Pos{"l.yaml", i + 1}}
		switch text[0] {
		case '-':
			e.Action, text = Deny, text[1:]
		case '!':
			e.Disabled, text = true, text[1:]
		case '?':
			e.Expires, text = lintTime.Add(time.Hour), text[1:]
		case '.':
			e.Expires, text = lintTime, text[1:]
		}
		r, err := addr.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		e.Text, e.Range = text, r
		l.Entries = append(l.Entries, e)
	}
	return l
}

func TestLintList(t *testing.T) {
	tests := []struct {
		name    string
		entries []string
		want    string
	}{
		{"nothing-wrong", []string{"10.0.0.0/24", "10.0.1.0/24", "-10.0.0.9", "2001:db8::/32"}, ""},
		{"empty", nil, ""},

		{"twice", []string{"10.0.0.1", "10.0.0.2", "10.0.0.1/32"}, "l.yaml:3: warning: 10.0.0.1/32 stands in line 1 already; remove one of them"},
		{"thrice", []string{"10.0.0.1", "10.0.0.1", "10.0.0.1"}, "l.yaml:2: warning: 10.0.0.1 stands in line 1 already; remove one of them\n" +
			"l.yaml:3: warning: 10.0.0.1 stands in line 1 already; remove one of them"},
		{"twice-denied", []string{"10.0.0.0/8", "-10.0.0.1", "-10.0.0.1"}, "l.yaml:3: warning: 10.0.0.1 stands in line 2 already; remove one of them"},
		{"twice-disabled", []string{"10.0.0.1", "!10.0.0.1"}, ""},

		{"inside-a-prefix", []string{"10.0.0.7", "10.0.0.0/8"}, "l.yaml:1: warning: 10.0.0.7 lies inside 10.0.0.0/8 of line 2; remove it"},
		{"inside-a-range", []string{"10.0.0.1-10.0.0.9", "10.0.0.4-10.0.0.9"}, "l.yaml:2: warning: 10.0.0.4-10.0.0.9 lies inside 10.0.0.1-10.0.0.9 of line 1; remove it"},
		{"inside-behind-a-narrower", []string{"10.0.0.0/8", "10.0.0.0/24", "10.9.0.0/16"}, "l.yaml:2: warning: 10.0.0.0/24 lies inside 10.0.0.0/8 of line 1; remove it\n" +
			"l.yaml:3: warning: 10.9.0.0/16 lies inside 10.0.0.0/8 of line 1; remove it"},
		{"overlap-only", []string{"10.0.0.1-10.0.0.6", "10.0.0.4-10.0.0.9"}, ""},
		{"inside-one-that-ends", []string{"?10.0.0.0/8", "10.0.0.7"}, ""},
		{"ends-inside-one-that-lasts", []string{"10.0.0.0/8", "?10.0.0.7"}, "l.yaml:2: warning: 10.0.0.7 lies inside 10.0.0.0/8 of line 1; remove it"},
		{"inside-a-disabled-one", []string{"!10.0.0.0/8", "10.0.0.7"}, ""},
		{"other-family", []string{"0.0.0.0-255.255.255.254", "::1"}, ""},

		{"denied", []string{"10.0.0.0/8", "10.1.0.7", "-10.1.0.0/16"}, "l.yaml:2: warning: 10.1.0.7 admits nobody: line 3 denies 10.1.0.0/16\n" +
			"l.yaml:2: warning: 10.1.0.7 lies inside 10.0.0.0/8 of line 1; remove it"},
		{"denied-itself", []string{"10.0.0.7", "-10.0.0.7", "11.0.0.0/8"}, "l.yaml:1: warning: 10.0.0.7 admits nobody: line 2 denies 10.0.0.7"},
		{"denies-alone", []string{"-10.0.0.8"}, ""},
		{"denies-nobody", []string{"10.0.0.0/24", "-10.0.1.0/24"}, "l.yaml:2: warning: 10.0.1.0/24 denies nobody whom the list admits; remove it"},
		{"denies-some", []string{"10.0.0.0/24", "-10.0.0.255-10.0.1.9"}, ""},

		{"over", []string{"10.0.0.1", ".10.0.0.2"}, "l.yaml:2: warning: 10.0.0.2 is over since 2026-06-01T12:00:00Z"},
		{"all-over", []string{".10.0.0.2", "!10.0.0.3"}, "l.yaml:1: warning: 10.0.0.2 is over since 2026-06-01T12:00:00Z\n" +
			"l.yaml:100: warning: the system's list * admits nobody: none of its allow entries is live"},
		{"all-disabled", []string{"!10.0.0.2"}, "l.yaml:100: warning: the system's list * admits nobody: none of its allow entries is live"},

		{"everybody-v4", []string{"10.0.0.1", "0.0.0.0/0"}, "l.yaml:2: warning: 0.0.0.0/0 allows every IPv4 address"},
		{"everybody-as-range", []string{"::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}, "l.yaml:1: warning: ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff allows every IPv6 address"},
		{"denies-everybody", []string{"-0.0.0.0/0"}, "l.yaml:1: warning: 0.0.0.0/0 denies every IPv4 address"},

		{"mapped", []string{"::ffff:10.0.0.1"}, "l.yaml:1: warning: ::ffff:10.0.0.1 is IPv4-mapped: it matches only forwarded text, no packet; write it as IPv4, or set mapped: unmap"},
		{"mapped-too-wide", []string{"::FFFF:10.0.0.0/8"}, "l.yaml:1: warning: ::FFFF:10.0.0.0/8 is far wider than IPv4-mapped addresses; write a prefix length of 96 or more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Lint(&State{System: map[string]*List{"*": listOf(t, tt.entries...)}}, lintTime)
			got.Sort()
			if got.Error() != tt.want {
				t.Errorf("Lint =\n%s\nwant\n%s", got, tt.want)
			}
			if got.Err() != nil {
				t.Error("lint's own findings are warnings")
			}
		})
	}
}

func TestLintState(t *testing.T) {
	ep := func(name string, change func(*Endpoint)) *Endpoint {
		e := &Endpoint{Name: name, Ports: ports(PortRange{443, 443}), Resource: AnyResource, Unlisted: UnlistedClosed, Pos: Pos{"p.yaml", 7}}
		change(e)
		return e
	}
	tests := []struct {
		name  string
		state *State
		want  string
	}{
		{name: "nothing", state: &State{}},
		{name: "filtering-off", state: &State{FilteringOff: true}, want: "warning: filtering: off lifts every list but the endpoints' own"},
		{
			name: "failsafe-for-everybody", state: &State{Failsafe: []Failsafe{{From: []netip.Prefix{prefixOf("10.0.0.0/8"), prefixOf("::/0")}, Pos: Pos{"p.yaml", 3}}}},
			want: "p.yaml:3: warning: failsafe from ::/0 lets everybody through, whatever the lists say; name where you administer from",
		},
		{
			name: "failsafe-mapped", state: &State{Failsafe: []Failsafe{{From: []netip.Prefix{prefixOf("::ffff:10.0.0.0/104")}, Pos: Pos{"p.yaml", 3}}}},
			want: "p.yaml:3: warning: failsafe: ::ffff:10.0.0.0/104 is IPv4-mapped and matches nobody: on the wire they are IPv4; write it as IPv4",
		},
		{
			name: "mapped-and-unmapped", state: &State{Unmap: true, System: map[string]*List{"*": listOf(t, "::ffff:10.0.0.1", "10.0.0.0/8")}},
			want: "l.yaml:1: warning: ::ffff:10.0.0.1 lies inside 10.0.0.0/8 of line 2; remove it",
		},

		{
			name: "apart-from-the-system", state: &State{
				System:  map[string]*List{"*": listOf(t, "10.0.0.0/8")},
				Tenants: MapOf(map[string]*Tenant{"a": {ID: "a", Lists: map[string]*List{"*": listOf(t, "11.0.0.1"), "webUI": listOf(t, "11.0.0.1", "10.9.9.9")}}}),
			},
			want: "l.yaml:100: warning: tenant a's list * admits nobody: it has no address in common with the list * before it",
		},
		{
			name: "apart-from-the-resource", state: &State{
				System:  map[string]*List{"*": listOf(t, "0.0.0.0-127.255.255.255"), "webUI": listOf(t, "10.0.0.0/8")},
				Tenants: MapOf(map[string]*Tenant{"a": {ID: "a", Lists: map[string]*List{"webUI": listOf(t, "11.0.0.1")}}}),
			},
			want: "l.yaml:100: warning: tenant a's list webUI admits nobody: it has no address in common with the list webUI before it",
		},
		{
			name: "user-apart-from-the-tenant", state: &State{
				Tenants: MapOf(map[string]*Tenant{"a": {
					ID: "a", Lists: map[string]*List{"*": listOf(t, "10.0.0.0/8")},
					Users: map[string]map[string]*List{"u": {"*": listOf(t, "2001:db8::1")}},
				}}),
			},
			want: "l.yaml:100: warning: user u's list * admits nobody: it has no address in common with the list * before it",
		},
		{
			name: "user-apart-from-the-system", state: &State{
				System:  map[string]*List{"*": listOf(t, "10.0.0.0/8")},
				Tenants: MapOf(map[string]*Tenant{"a": {ID: "a", Users: map[string]map[string]*List{"u": {"*": listOf(t, "11.0.0.1")}}}}),
			},
			want: "l.yaml:100: warning: user u's list * admits nobody: it has no address in common with the list * before it",
		},
		{name: "apart-but-off", state: &State{
			System:  map[string]*List{"*": listOf(t, "10.0.0.0/8")},
			Tenants: MapOf(map[string]*Tenant{"a": {ID: "a", Lists: map[string]*List{"*": off(listOf(t, "11.0.0.1"))}}}),
		}},
		{name: "denies-before-it", state: &State{
			System:  map[string]*List{"*": listOf(t, "-10.0.0.0/8")},
			Tenants: MapOf(map[string]*Tenant{"a": {ID: "a", Lists: map[string]*List{"*": listOf(t, "11.0.0.1")}}}),
		}},

		{
			name: "unused", state: &State{
				Tenants: MapOf(map[string]*Tenant{
					"a": {ID: "a", Lists: map[string]*List{"webUI": listOf(t, "10.0.0.1")}, Users: map[string]map[string]*List{"u": {"adminAPI": listOf(t, "10.0.0.1")}}},
					"b": {ID: "b", Lists: map[string]*List{"dataAccess": listOf(t, "10.0.0.1"), "*": listOf(t, "10.0.0.1")}},
				}),
				Endpoints: []*Endpoint{
					ep("a", func(e *Endpoint) { e.Tenants, e.Resource = []string{"a"}, "webUI" }),
					ep("all", func(e *Endpoint) { e.AllTenants, e.Resource, e.Unlisted = true, "managementAPI", UnlistedClosed }),
				},
			},
			want: "l.yaml:100: warning: tenant b's list dataAccess is never asked for: no endpoint of tenant b has that resource\n" +
				"l.yaml:100: warning: user u's list adminAPI is never asked for: no endpoint of tenant a has that resource",
		},

		{
			name: "proxied-without-http", state: &State{Endpoints: []*Endpoint{ep("x", func(e *Endpoint) {
				e.Client = Client{Source: XForwardedFor, Proxies: []netip.Prefix{prefixOf("::ffff:10.0.0.1/128")}}
			})}},
			want: "p.yaml:7: warning: endpoint x: only its proxies are held to; without http nobody judges who they speak for; add http\n" +
				"p.yaml:7: warning: endpoint x: proxies: ::ffff:10.0.0.1/128 is IPv4-mapped and matches nobody: on the wire they are IPv4; write it as IPv4",
		},
		{
			name: "ssh-without-failsafe", state: &State{Endpoints: []*Endpoint{ep("ssh", func(e *Endpoint) { e.Ports = ports(PortRange{20, 30}) })}},
			want: "p.yaml:7: warning: endpoint ssh guards port 22, and no failsafe leaves you a way in; add failsafe: [{protocol: tcp, ports: [22], from: [...]}]",
		},
		{
			name: "ssh-under-any", state: &State{Endpoints: []*Endpoint{ep("box", func(e *Endpoint) { e.Protocol, e.Ports = AnyProtocol, nil })}},
			want: "p.yaml:7: warning: endpoint box guards port 22, and no failsafe leaves you a way in; add failsafe: [{protocol: tcp, ports: [22], from: [...]}]",
		},
		{name: "ssh-with-failsafe", state: &State{
			Failsafe:  []Failsafe{{Ports: ports(PortRange{22, 22}), From: []netip.Prefix{prefixOf("10.0.0.0/8")}}},
			Endpoints: []*Endpoint{ep("ssh", func(e *Endpoint) { e.Ports = ports(PortRange{22, 22}) })},
		}},
		{
			name: "own-list", state: &State{Endpoints: []*Endpoint{ep("x", func(e *Endpoint) { e.Policies = listOf(t, "10.0.0.1", "10.0.0.1") })}},
			want: "l.yaml:2: warning: 10.0.0.1 stands in line 1 already; remove one of them",
		},
		{
			name: "open", state: &State{Endpoints: []*Endpoint{ep("x", func(e *Endpoint) { e.Tenants, e.Unlisted = []string{"3"}, Inherit })}},
			want: "p.yaml:7: warning: endpoint x: OPEN (tenant 3 has no list); give it one, or write unlisted: closed",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Lint(tt.state, lintTime)
			got.Sort()
			if got.Error() != tt.want {
				t.Errorf("Lint =\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func off(l *List) *List {
	l.State = ListOff
	return l
}

func TestOpen(t *testing.T) {
	allow, deny := listOf(t, "10.0.0.1"), listOf(t, "-10.0.0.1")
	tenants := map[string]*Tenant{
		"listed":   {ID: "listed", Lists: map[string]*List{"*": allow}},
		"resource": {ID: "resource", Lists: map[string]*List{"webUI": allow}},
		"denies":   {ID: "denies", Lists: map[string]*List{"*": deny}},
		"over":     {ID: "over", Lists: map[string]*List{"*": listOf(t, ".10.0.0.1")}},
		"off":      {ID: "off", Lists: map[string]*List{"*": off(listOf(t, "10.0.0.1"))}},
		"bare":     {ID: "bare"},
	}
	tests := []struct {
		name     string
		endpoint Endpoint
		system   map[string]*List
		want     string
	}{
		{name: "listed", endpoint: Endpoint{Tenants: []string{"listed"}}},
		{name: "expired-restricts", endpoint: Endpoint{Tenants: []string{"over"}}},
		{name: "no-list", endpoint: Endpoint{Tenants: []string{"bare"}}, want: "tenant bare has no list"},
		{name: "no-record", endpoint: Endpoint{Tenants: []string{"3"}}, want: "tenant 3 has no list"},
		{name: "list-off", endpoint: Endpoint{Tenants: []string{"off"}}, want: "tenant off has no list"},
		{name: "other-resource", endpoint: Endpoint{Tenants: []string{"resource"}, Resource: "dataAccess"}, want: "tenant resource has no list"},
		{name: "its-resource", endpoint: Endpoint{Tenants: []string{"resource"}, Resource: "webUI"}},
		{name: "denies-only", endpoint: Endpoint{Tenants: []string{"denies"}}, want: "tenant denies has lists that only deny"},
		{name: "one-of-two", endpoint: Endpoint{Tenants: []string{"listed", "bare"}}, want: "tenant bare has no list"},
		{name: "three", endpoint: Endpoint{Tenants: []string{"off", "listed", "denies", "bare"}}, want: "tenant bare and 2 more have no list that admits"},
		{name: "all-tenants", endpoint: Endpoint{AllTenants: true}, want: "tenant 4 and 4 more have no list that admits"},
		{name: "system-restricts", endpoint: Endpoint{Tenants: []string{"bare"}}, system: map[string]*List{"*": allow}},
		{name: "system-denies", endpoint: Endpoint{Tenants: []string{"bare"}}, system: map[string]*List{"*": deny}, want: "tenant bare has no list"},
		{name: "own-list-restricts", endpoint: Endpoint{Tenants: []string{"bare"}, Policies: allow}},
		{name: "closed", endpoint: Endpoint{Tenants: []string{"bare"}, Unlisted: UnlistedClosed}},
		{name: "closed-but-denies", endpoint: Endpoint{Tenants: []string{"denies"}, Unlisted: UnlistedClosed}, want: "tenant denies has lists that only deny"},
		{name: "no-tenants", endpoint: Endpoint{}, want: "it has no tenants and no list of its own"},
		{name: "no-tenants-closed", endpoint: Endpoint{Unlisted: UnlistedClosed}},
		{name: "no-tenants-closed-own-denies", endpoint: Endpoint{Unlisted: UnlistedClosed, Policies: deny}, want: "it has no tenants and no list of its own"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &State{System: tt.system, Tenants: MapOf(tenants), Endpoints: []*Endpoint{{Tenants: []string{"4"}}, &tt.endpoint}}
			if tt.endpoint.Resource == "" {
				tt.endpoint.Resource = AnyResource
			}
			if got := s.Open(&tt.endpoint); got != tt.want {
				t.Errorf("Open = %q, want %q", got, tt.want)
			}
		})
	}
}
