package policy

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func conn(local, remote string) Conn {
	return Conn{netip.MustParseAddrPort(local), netip.MustParseAddrPort(remote)}
}

// office is a guarded sshd on the host's two addresses, which only the office
// may reach.
func office(t *testing.T) *State {
	t.Helper()
	return &State{Endpoints: []*Endpoint{{
		Name: "ssh", Resource: AnyResource, Ports: []PortRange{{22, 22}}, Policies: listOf(t, "192.0.2.0/24", "-192.0.2.66", "2001:db8:1::/48"),
	}}}
}

func tableOf(t *testing.T, s *State) *Table {
	t.Helper()
	host := Host{Local: []netip.Prefix{prefixOf("203.0.113.1/32"), prefixOf("203.0.113.2/32"), prefixOf("2001:db8::1/128")}}
	table, err := Compile(s, host, noon)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestCutOff(t *testing.T) {
	here, there := conn("203.0.113.1:22", "192.0.2.7:50000"), conn("203.0.113.1:22", "198.51.100.7:50000")
	here6, there6 := conn("[2001:db8::1]:22", "[2001:db8:1::7]:50000"), conn("[2001:db8::1]:22", "[2001:db8:2::7]:50000")
	own := conn("203.0.113.1:22", "203.0.113.1:50000")
	all := []Conn{here, there, here6, there6, own, conn("127.0.0.1:22", "127.0.0.1:50000")}

	tests := []struct {
		name    string
		before  func(*State) // nil: the host had nothing in force
		after   func(*State)
		conns   []Conn // nil: all
		want    []Conn
		verdict string // of the first: reason, scope and entry
	}{
		{name: "endpoint-comes", before: func(s *State) { s.Endpoints = nil }, want: []Conn{there, there6}, verdict: "not-listed endpoint "},
		{name: "first-revision", want: []Conn{there, there6}, verdict: "not-listed endpoint "},
		{name: "nothing-changes", before: func(*State) {}},
		{
			name:   "dropped-before-too",
			before: func(s *State) { s.Endpoints[0].Policies = listOf(t, "192.0.2.0/24", "2001:db8:1::/48") },
		},
		{
			name: "entry-goes", before: func(*State) {},
			after: func(s *State) { s.Endpoints[0].Policies = listOf(t, "192.0.2.0/24") },
			want:  []Conn{here6}, verdict: "not-listed endpoint ",
		},
		{
			name: "deny-comes", before: func(*State) {},
			after: func(s *State) { s.Endpoints[0].Policies = listOf(t, "192.0.2.0/24", "2001:db8:1::/48", "-192.0.2.7") },
			want:  []Conn{here}, verdict: "deny-entry endpoint 192.0.2.7",
		},
		{
			name: "system-list-comes", before: func(*State) {},
			after: func(s *State) { s.System = map[string]*List{"*": listOf(t, "2001:db8:1::/48")} },
			want:  []Conn{here}, verdict: "not-listed system ",
		},
		{
			name: "system-list-comes-filtering-off", before: func(*State) {},
			after: func(s *State) {
				s.System, s.FilteringOff = map[string]*List{"*": listOf(t, "2001:db8:1::/48")}, true
			},
		},
		{
			name: "failsafe-holds", before: func(s *State) { s.Endpoints = nil },
			after: func(s *State) {
				s.Failsafe = []Failsafe{{Ports: []PortRange{{1, 1023}}, From: []netip.Prefix{prefixOf("198.51.100.0/24")}}}
			},
			want: []Conn{there6}, verdict: "not-listed endpoint ",
		},
		{
			name: "failsafe-goes",
			before: func(s *State) {
				s.Failsafe = []Failsafe{{Ports: []PortRange{{22, 22}}, From: []netip.Prefix{prefixOf("198.51.100.0/24")}}}
			},
			want: []Conn{there}, verdict: "not-listed endpoint ",
		},
		{
			name: "failsafe-of-another-port", before: func(s *State) { s.Endpoints = nil },
			after: func(s *State) {
				s.Failsafe = []Failsafe{{Ports: []PortRange{{23, 23}}, From: []netip.Prefix{prefixOf("0.0.0.0/0")}}}
			},
			want: []Conn{there, there6}, verdict: "not-listed endpoint ",
		},
		{name: "monitor", before: func(s *State) { s.Endpoints = nil }, after: func(s *State) { s.Mode = Monitor }},
		{
			name: "monitored-list", before: func(s *State) { s.Endpoints = nil },
			after: func(s *State) { s.Endpoints[0].Policies.State = ListMonitor },
		},
		{
			name: "monitor-ends", before: func(s *State) { s.Endpoints[0].Mode = Monitor },
			want: []Conn{there, there6}, verdict: "not-listed endpoint ",
		},
		{
			name: "another-port", before: func(s *State) { s.Endpoints = nil },
			conns: []Conn{conn("203.0.113.1:2222", "198.51.100.7:50000")},
		},
		{
			name: "most-specific-lets-in", before: func(s *State) { s.Endpoints = nil },
			after: func(s *State) {
				s.Endpoints = append(s.Endpoints, &Endpoint{
					Name: "open", Resource: AnyResource, Ports: []PortRange{{22, 22}}, Destination: Destination{Prefix: prefixOf("203.0.113.1/32")},
				})
			},
			conns: []Conn{there, conn("203.0.113.2:22", "198.51.100.7:50000")},
			want:  []Conn{conn("203.0.113.2:22", "198.51.100.7:50000")}, verdict: "not-listed endpoint ",
		},
		{
			name: "more-specific-shuts-out", before: func(*State) {},
			after: func(s *State) {
				s.Endpoints = append(s.Endpoints, &Endpoint{
					Name: "vault", Resource: AnyResource, Ports: []PortRange{{22, 22}}, Destination: Destination{Prefix: prefixOf("203.0.113.0/25")},
					Client: Client{Source: XForwardedFor, Proxies: []netip.Prefix{prefixOf("192.0.2.99/32")}},
				})
			},
			want: []Conn{here}, verdict: "not-a-proxy none ",
		},
		{
			name: "gate-refuses-instead", before: func(s *State) { s.Endpoints = nil },
			after: func(s *State) {
				s.Endpoints[0].HTTP, s.Endpoints[0].Refuse = &HTTP{Listen: ":22", Upstream: "http://127.0.0.1:8080"}, RefuseRespond
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before *Table
			if tt.before != nil {
				s := office(t)
				tt.before(s)
				before = tableOf(t, s)
			}
			s := office(t)
			if tt.after != nil {
				tt.after(s)
			}
			after, conns := tableOf(t, s), tt.conns
			if conns == nil {
				conns = all
			}
			cut := CutOff(before, after, conns)
			var got []Conn
			for _, c := range cut {
				got = append(got, c.Conn)
			}
			if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b Conn) bool { return a == b })); diff != "" {
				t.Fatalf("cut off (-want +got):\n%s", diff)
			}
			if len(cut) > 0 {
				if got := verdictText(after.DecidePacket(cut[0].Endpoint, cut[0].Remote.Addr())); got != tt.verdict {
					t.Errorf("dropped by %q, want %q", got, tt.verdict)
				}
			}
		})
	}
}

func TestGuards(t *testing.T) {
	s := &State{
		Endpoints: []*Endpoint{
			{Name: "web", Resource: AnyResource, Ports: []PortRange{{80, 80}, {8000, 8010}}},
			{Name: "dns", Protocol: UDP, Resource: AnyResource, Ports: []PortRange{{53, 53}}},
		},
		Failsafe: []Failsafe{{Ports: []PortRange{{22, 22}}, From: []netip.Prefix{prefixOf("10.0.0.0/8")}}},
	}
	for port, want := range map[uint16]bool{0: false, 22: false, 53: false, 79: false, 80: true, 81: false, 8000: true, 8010: true, 8011: false, 65535: false} {
		if got := tableOf(t, s).Guards(port); got != want {
			t.Errorf("Guards(%d) = %v", port, got)
		}
	}
}

func verdictText(v Verdict) string {
	entry := ""
	if v.Entry != nil {
		entry = v.Entry.Text
	}
	return v.Reason.String() + " " + v.Scope.String() + " " + entry
}

// TestCutOffIsTheLaw compares CutOff with Match, failsafes and DecidePacket.
func TestCutOffIsTheLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := world{rt}
		s, host := w.state()
		next, _ := w.state()
		before, err := Compile(s, host, noon)
		if err != nil {
			rt.Skip(err)
		}
		after, err := Compile(next, host, noon)
		if err != nil {
			rt.Skip(err)
		}
		for range 20 {
			c := Conn{
				netip.AddrPortFrom(w.addr("local"), uint16(rapid.SampledFrom([]int{22, 80, 443, 450, 500, 8080}).Draw(rt, "port"))),
				netip.AddrPortFrom(w.addr("remote"), 50000),
			}
			want := c.onWire() && before.lawDrops(c) == nil && after.lawDrops(c) != nil
			cut := CutOff(before, after, []Conn{c})
			if (len(cut) == 1) != want {
				rt.Fatalf("CutOff(%v) = %v, the law says %v", c, cut, want)
			}
			if want && cut[0].Endpoint != after.lawDrops(c) {
				rt.Fatalf("CutOff(%v) blames %s, the law %s", c, cut[0].Endpoint.Name, after.lawDrops(c).Name)
			}
		}
	})
}

func (t *Table) lawDrops(c Conn) *Endpoint {
	src, port := c.Remote.Addr(), c.Local.Port()
	for _, f := range t.State.Failsafe {
		if f.Protocol == TCP && slices.ContainsFunc(f.Ports, func(r PortRange) bool { return r.Contains(port) }) &&
			slices.ContainsFunc(f.From, func(p netip.Prefix) bool { return p.Contains(src) }) {
			return nil
		}
	}
	ep := t.Match(TCP, c.Local.Addr(), port)
	if ep == nil {
		return nil
	}
	if v := t.DecidePacket(ep, src); v.Allow || !v.Enforced {
		return nil
	}
	return ep
}
