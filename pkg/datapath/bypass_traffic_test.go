package datapath

import (
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go4.org/netipx"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// service is a guarded UDP service: port 8080 of a host, on all its addresses,
// that admits 192.0.2.9 and nobody else.
type service struct {
	wire
	table *policy.Table
	agent *Datapath
	heard net.PacketConn
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{wire: wire{
		outside: &testenv.End{NS: testenv.NewNetNS(t), Name: "outside", Addrs: []string{"192.0.2.1/24", "192.0.2.9/24"}},
		host:    &testenv.End{NS: testenv.NewNetNS(t), Name: "edge", Addrs: []string{"192.0.2.2/24"}},
	}}
	testenv.Veth(t, s.outside, s.host)
	s.host.NS.Do(func() {
		var err error
		if s.heard, err = net.ListenPacket("udp4", "0.0.0.0:8080"); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { s.heard.Close() })
	s.agent = newDatapath(t)
	return s
}

// guard applies the policy to the addresses the host has now, and attaches.
func (s *service) guard(t *testing.T, names ...string) {
	t.Helper()
	admitted := netip.MustParseAddr("192.0.2.9")
	s.host.NS.Do(func() {
		host, err := Host()
		if err != nil {
			t.Fatal(err)
		}
		s.table, err = policy.Compile(&policy.State{Endpoints: []*policy.Endpoint{{
			Name: "service", Protocol: policy.UDP, AllTenants: true, Resource: policy.AnyResource,
			Ports:    []policy.PortRange{{First: 8080, Last: 8080}},
			Policies: &policy.List{Entries: []policy.Entry{{Range: netipx.IPRangeFrom(admitted, admitted)}}},
		}}}, host, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		enforce(t, s.agent, s.table.Plan)
		if err := s.agent.Attach(t.Context(), names); err != nil {
			t.Fatal(err)
		}
	})
}

// send sends a word from an address outside.
func (s *service) send(t *testing.T, from, to, word string) {
	t.Helper()
	s.outside.NS.Do(func() {
		d := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}, Control: func(_, _ string, c syscall.RawConn) error {
			var err error
			ctlErr := c.Control(func(fd uintptr) {
				err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST, 1)
			})
			if ctlErr != nil {
				return ctlErr
			}
			return err
		}}
		conn, err := d.DialContext(t.Context(), "udp4", to)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(word)); err != nil {
			t.Fatal(err)
		}
	})
}

// hears checks what comes next.
func (s *service) hears(t *testing.T, want string) {
	t.Helper()
	buf := make([]byte, 64)
	if err := s.heard.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, _, err := s.heard.ReadFrom(buf)
	if got := string(buf[:n]); got != want {
		t.Fatalf("the service heard %q, %v; want %q", got, err, want)
	}
}

// Each way round is taken by a sender that is not admitted: it is closed, or it is
// listed. Naming the interface that it leads over, where there is one, closes it.
func TestWaysRound(t *testing.T) {
	testenv.Root(t)
	tests := []struct {
		name   string
		make   func(*testing.T, *service) (round func())
		listed string // kind: what; "": it is closed
		closed string // the interface that closes it
	}{
		{name: "subnet-broadcast", make: func(t *testing.T, s *service) func() {
			return func() { s.send(t, "192.0.2.1", "192.0.2.255:8080", "round") }
		}},
		{name: "limited-broadcast", make: func(t *testing.T, s *service) func() {
			return func() { s.send(t, "192.0.2.1", "255.255.255.255:8080", "round") }
		}},
		{name: "source-route", make: func(t *testing.T, s *service) func() {
			s.host.NS.Run(t, "sh", "-c", "for i in all edge; do echo 1 > /proc/sys/net/ipv4/conf/$i/accept_source_route; done")
			out := s.outside.Socket(t)
			return func() {
				out.Send(t, testenv.Packet(
					testenv.Ether{Dst: [6]byte(s.host.MAC), Src: [6]byte(s.outside.MAC)},
					// The route ends here: the next hop's pointer is past its end.
					testenv.IPv4{Src: netip.MustParseAddr("192.0.2.9"), Dst: netip.MustParseAddr("192.0.2.2"), Options: []byte{131, 7, 8, 192, 0, 2, 1}},
					testenv.UDP{Src: 40000, Dst: 8080}, testenv.Data{Bytes: []byte("round")}))
			}
		}},
		{
			name: "dnat", listed: "nat: nft rule 2 in ip nat pre may send packets to a guarded port: dnat {\"addr\": \"192.0.2.2\", \"port\": 8080}",
			make: func(t *testing.T, s *service) func() {
				s.host.NS.Run(t, "nft", "add table ip nat; add chain ip nat pre { type nat hook prerouting priority -100; }; "+
					"add rule ip nat pre udp dport 9999 dnat to 192.0.2.2:8080")
				return func() { s.send(t, "192.0.2.1", "192.0.2.2:9999", "round") }
			},
		},
		{
			name: "vxlan", listed: "tunnel: vx0 (vxlan) unpacks packets that nobody judged: 10.9.0.2", closed: "vx0",
			make: func(t *testing.T, s *service) func() {
				for _, end := range []struct {
					ns                  *testenv.NetNS
					local, remote, addr string
				}{
					{s.outside.NS, "192.0.2.1", "192.0.2.2", "10.9.0.1/24"},
					{s.host.NS, "192.0.2.2", "192.0.2.1", "10.9.0.2/24"},
				} {
					end.ns.Run(t, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
					end.ns.Run(t, "ip", "link", "add", "vx0", "type", "vxlan", "id", "7", "dstport", "4789", "local", end.local, "remote", end.remote)
					end.ns.Run(t, "ip", "addr", "add", end.addr, "dev", "vx0")
					end.ns.Run(t, "ip", "link", "set", "vx0", "up")
				}
				return func() { s.send(t, "10.9.0.1", "10.9.0.2:8080", "round") }
			},
		},
		{
			name: "tun", listed: "tunnel: tun0 (tuntap) unpacks packets that nobody judged: 10.8.0.1",
			make: func(t *testing.T, s *service) func() {
				s.host.NS.Run(t, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
				tun := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: "tun0"}, Mode: netlink.TUNTAP_MODE_TUN, Flags: netlink.TUNTAP_NO_PI, Queues: 1}
				s.host.NS.Do(func() {
					if err := netlink.LinkAdd(tun); err != nil {
						t.Fatal(err)
					}
				})
				t.Cleanup(func() { tun.Fds[0].Close() })
				s.host.NS.Run(t, "ip", "addr", "add", "10.8.0.1/24", "dev", "tun0")
				s.host.NS.Run(t, "ip", "link", "set", "tun0", "up")
				return func() {
					packet := testenv.Packet(
						testenv.IPv4{Src: netip.MustParseAddr("10.8.0.2"), Dst: netip.MustParseAddr("10.8.0.1")},
						testenv.UDP{Src: 40000, Dst: 8080}, testenv.Data{Bytes: []byte("round")})
					if _, err := tun.Fds[0].Write(packet); err != nil {
						t.Fatal(err)
					}
				}
			},
		},
		{
			name: "another-interface", listed: "interface: back (veth) is up and not guarded: 10.7.0.2", closed: "back",
			make: func(t *testing.T, s *service) func() {
				testenv.Veth(t, &testenv.End{NS: s.outside.NS, Name: "out2", Addrs: []string{"10.7.0.1/24"}},
					&testenv.End{NS: s.host.NS, Name: "back", Addrs: []string{"10.7.0.2/24"}})
				return func() { s.send(t, "10.7.0.1", "10.7.0.2:8080", "round") }
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t)
			round := tt.make(t, s)
			try := func(open bool) {
				t.Helper()
				s.send(t, "192.0.2.1", "192.0.2.2:8080", "straight")
				round()
				if open {
					s.hears(t, "round")
				}
				s.send(t, "192.0.2.9", "192.0.2.2:8080", "end")
				s.hears(t, "end")
			}
			round()
			s.hears(t, "round") // so the way is one
			s.guard(t, "edge")
			try(tt.listed != "")
			if got := s.ways(t, "edge"); tt.listed != strings.Join(got, "\n") {
				t.Errorf("listed = %q, want %q", got, tt.listed)
			}
			if tt.closed != "" {
				s.guard(t, "edge", tt.closed)
				try(false)
				if got := s.ways(t, "edge", tt.closed); got != nil {
					t.Errorf("listed = %q after %s is guarded too", got, tt.closed)
				}
			}
		})
	}
}

func (s *service) ways(t *testing.T, guarded ...string) (texts []string) {
	t.Helper()
	s.host.NS.Do(func() {
		for _, b := range Bypasses(t.Context(), s.table, guarded) {
			texts = append(texts, b.Kind+": "+b.What)
		}
	})
	return texts
}
