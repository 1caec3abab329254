package datapath

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// guardPorts is a table that guards TCP 8080 at an address, and 8443 everywhere
// on this host.
func guardPorts(t *testing.T, host policy.Host) *policy.Table {
	t.Helper()
	table, err := policy.Compile(&policy.State{Endpoints: []*policy.Endpoint{
		{
			Name: "exact", AllTenants: true, Resource: policy.AnyResource, Ports: []policy.PortRange{{First: 8080, Last: 8080}},
			Destination: policy.Destination{Prefix: netip.MustParsePrefix("192.0.2.2/32")},
		},
		{Name: "host", AllTenants: true, Resource: policy.AnyResource, Ports: []policy.PortRange{{First: 8443, Last: 8443}}},
	}}, host, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// Each row makes the real thing and says what is told of it.
func TestBypasses(t *testing.T) {
	testenv.Root(t)
	tests := []struct {
		name string
		make []string // shell, in the host's namespace
		want []string // "kind: what"
	}{
		{name: "none"},
		{
			name: "second-interface", make: []string{
				"ip link add veth1 type veth peer name veth2", "ip link set veth1 up", "ip addr add 203.0.113.1/24 dev veth1", "ip link set veth2 up",
			},
			want: []string{
				"interface: veth1 (veth) is up and not guarded: 203.0.113.1",
				"interface: veth2 (veth) is up and not guarded",
			},
		},
		{name: "down", make: []string{"ip link add br0 type bridge"}},
		{
			name: "bridge-lists-itself-not-its-ports", make: []string{
				"ip link add br0 type bridge", "ip link add veth1 type veth peer name veth2",
				"ip link set veth1 master br0", "ip link set br0 up", "ip link set veth1 up",
			},
			want: []string{"interface: br0 (bridge) is up and not guarded"},
		},
		{name: "macvlan-of-the-guarded", make: []string{"ip link add link edge name mv0 type macvlan", "ip link set mv0 up"}},
		{
			name: "vxlan", make: []string{"ip link add vx0 type vxlan id 7 dstport 4789 local 192.0.2.2", "ip link set vx0 up"},
			want: []string{"tunnel: vx0 (vxlan) unpacks packets that nobody judged"},
		},
		{
			name: "tun", make: []string{"ip tuntap add tun0 mode tun", "ip link set tun0 up"},
			want: []string{"tunnel: tun0 (tuntap) unpacks packets that nobody judged"},
		},
		{
			name: "dnat", make: []string{
				"nft add table ip nat", "nft add chain ip nat pre '{ type nat hook prerouting priority -100; }'",
				"nft add rule ip nat pre tcp dport 9999 dnat to 192.0.2.2:8080",
				"nft add rule ip nat pre tcp dport 9998 redirect to :8443",
				"nft add rule ip nat pre tcp dport 9997 dnat to 192.0.2.2",
				"nft add rule ip nat pre dnat to tcp dport map '{ 9996 : 192.0.2.9 }'",
				"nft add rule ip nat pre tcp dport 9995 redirect to :22",
				"nft add rule ip nat pre tcp dport 9994 dnat to 198.51.100.1:8080",
			},
			want: []string{
				`nat: nft rule 2 in ip nat pre may send packets to a guarded port: dnat {"addr": "192.0.2.2", "port": 8080}`,
				`nat: nft rule 3 in ip nat pre may send packets to a guarded port: redirect {"port": 8443}`,
				`nat: nft rule 4 in ip nat pre may send packets to a guarded port: dnat {"addr": "192.0.2.2"}`,
				`nat: nft rule 6 in ip nat pre may send packets to a guarded port: ` +
					`dnat {"addr": {"map": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": {"set": [[9996, "192.0.2.9"]]}}}}`,
			},
		},
		{
			name: "iptables", make: []string{
				"iptables -t nat -A PREROUTING -p tcp --dport 9999 -j DNAT --to-destination 192.0.2.2:8080",
				"iptables -t nat -A PREROUTING -p tcp --dport 9998 -j REDIRECT --to-ports 22",
			},
			want: []string{"nat: iptables rule may send packets to a guarded port: " +
				"-A PREROUTING -p tcp -m tcp --dport 9999 -j DNAT --to-destination 192.0.2.2:8080"},
		},
		{
			name: "source-routes", make: []string{
				"echo 1 > /proc/sys/net/ipv4/conf/all/accept_source_route", "echo 1 > /proc/sys/net/ipv4/conf/edge/accept_source_route",
				"ip link add br0 type bridge", "ip link set br0 up",
				"echo 1 > /proc/sys/net/ipv4/conf/br0/accept_source_route",
			},
			want: []string{
				"interface: br0 (bridge) is up and not guarded",
				"source-route: br0 follows IPv4 source routes",
			},
		},
		{
			name: "segment-routing", make: []string{
				"echo 0 > /proc/sys/net/ipv6/conf/edge/disable_ipv6",
				"echo 1 > /proc/sys/net/ipv6/conf/all/seg6_enabled", "echo 1 > /proc/sys/net/ipv6/conf/edge/seg6_enabled",
			},
			want: []string{"segment-routing: edge unpacks IPv6 segment routes"},
		},
		{
			name: "anyip", make: []string{"ip route add local 198.51.100.0/24 dev lo"},
			want: []string{"anyip: the host answers for all of 198.51.100.0/24, which endpoint exact does not cover"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ns := testenv.NewNetNS(t)
			testenv.Veth(t, &testenv.End{NS: testenv.NewNetNS(t), Name: "outside"},
				&testenv.End{NS: ns, Name: "edge", Addrs: []string{"192.0.2.2/24"}})
			for _, command := range append([]string{"echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"}, tt.make...) {
				ns.Run(t, "sh", "-c", command)
			}
			if diff := cmp.Diff(tt.want, bypasses(t, ns)); diff != "" {
				t.Errorf("ways round (-want +got):\n%s", diff)
			}
		})
	}
}

// bypasses surveys a namespace whose "edge" is guarded, and checks that each way
// round comes with its remedy.
func bypasses(t *testing.T, ns *testenv.NetNS) (texts []string) {
	t.Helper()
	ns.Do(func() {
		host, err := Host()
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range Bypasses(t.Context(), guardPorts(t, host), []string{"edge"}) {
			texts = append(texts, b.Kind+": "+b.What)
			if b.Remedy == "" {
				t.Errorf("%s: no remedy", b.What)
			}
		}
	})
	return texts
}

func TestBypassListeners(t *testing.T) {
	testenv.Root(t)
	ns := testenv.NewNetNS(t)
	testenv.Veth(t, &testenv.End{NS: testenv.NewNetNS(t), Name: "outside"},
		&testenv.End{NS: ns, Name: "edge", Addrs: []string{"192.0.2.2/24", "192.0.2.3/24", "2001:db8::2/64"}})
	ns.Listen(t, "tcp4", "192.0.2.2:8080")
	ns.Listen(t, "tcp4", "127.0.0.1:8080")
	ns.Listen(t, "tcp4", "0.0.0.0:8443")
	ns.Listen(t, "tcp4", "0.0.0.0:22")
	if got := bypasses(t, ns); got != nil {
		t.Errorf("ways round = %q where every listener is covered", got)
	}
	const also = " hears on addresses no endpoint covers: "
	for _, tt := range []struct{ name, network, address, want string }{
		{"elsewhere", "tcp4", "192.0.2.3:8080", "listener: tcp 192.0.2.3:8080" + also + "192.0.2.3"},
		{"six-only", "tcp6", "[::]:8080", "listener: tcp [::]:8080" + also + "2001:db8::2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ns.Listen(t, tt.network, tt.address)
			if diff := cmp.Diff([]string{tt.want}, bypasses(t, ns)); diff != "" {
				t.Errorf("ways round (-want +got):\n%s", diff)
			}
		})
	}
}

// This kernel may have no IPVS, so what it would print stands here.
func TestReadIPVS(t *testing.T) {
	s := newSurvey(guardPorts(t, policy.Host{}))
	s.host.Local = prefixes("192.0.2.2/32", "2001:db8::2/128")
	s.readIPVS(`IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C6336401:0050 rr  
  -> C0000202:1F90      Masq    1      0          0         
  -> C0000202:0016      Masq    1      0          0         
TCP  [2001:0db8:0000:0000:0000:0000:0000:0009]:0050 wlc 
  -> [2001:0db8:0000:0000:0000:0000:0000:0002]:20FB      Masq    1      0          0         
FWM  00000007 rr  
  -> C0000202:1F90      Route   1      0          0         
`)
	var got []string
	for _, b := range s.found {
		got = append(got, b.What)
	}
	want := []string{
		"IPVS service TCP 198.51.100.1:80 sends packets to 192.0.2.2:8080",
		"IPVS service TCP [2001:db8::9]:80 sends packets to [2001:db8::2]:8443",
		"IPVS service FWM 00000007 sends packets to 192.0.2.2:8080",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ways round (-want +got):\n%s", diff)
	}
}

// What cannot be looked into is said, not left out.
func TestBypassesWithoutTools(t *testing.T) {
	testenv.Root(t)
	t.Setenv("PATH", t.TempDir())
	ns := testenv.NewNetNS(t)
	got := bypasses(t, ns)
	want := []string{
		"unknown: iptables rules: iptables-save is not installed",
		"unknown: nftables rules: nft is not installed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ways round (-want +got):\n%s", diff)
	}
}

// The veth driver has no hardware to offload to; that features are read at all
// shows by one that it has.
func TestFeatures(t *testing.T) {
	testenv.Root(t)
	ns := testenv.NewNetNS(t)
	edge := &testenv.End{NS: ns, Name: "edge"}
	testenv.Veth(t, &testenv.End{NS: testenv.NewNetNS(t), Name: "outside"}, edge)
	ns.Do(func() {
		on, err := features(edge.Index)
		if err != nil || !slices.Contains(on, "tx-checksum-ip-generic") {
			t.Errorf("features = %q, %v; want tx-checksum-ip-generic among them", on, err)
		}
	})
}
