package main

import (
	"net/netip"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// class is a kind of packet, and what becomes of it.
type class struct {
	name   string
	want   uint32
	layers []testenv.Layer
}

// The addresses of the classes' packets.
var (
	web4, web6     = netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8::10")
	other4         = netip.MustParseAddr("192.0.2.30")
	friend4        = netip.MustParseAddr("198.51.100.7")
	friend6        = netip.MustParseAddr("2001:db8:1::7")
	alien4, alien6 = netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8:2::7")
)

var (
	toPort    = testenv.TCP{Src: 40000, Dst: port}
	elsewhere = testenv.TCP{Src: 40000, Dst: 9}
)

// classes are what a wire carries.
var classes = []class{
	{"not IP (ARP)", xdpPass, []testenv.Layer{testenv.Data{Protocol: 0x0806, Bytes: make([]byte, 28)}}},
	{"unguarded port", xdpPass, []testenv.Layer{testenv.IPv4{Src: alien4, Dst: web4}, elsewhere}},
	{"unguarded address", xdpPass, []testenv.Layer{testenv.IPv4{Src: alien4, Dst: other4}, toPort}},
	{"listed", xdpPass, []testenv.Layer{testenv.IPv4{Src: friend4, Dst: web4}, toPort}},
	{"refused", xdpDrop, []testenv.Layer{testenv.IPv4{Src: alien4, Dst: web4}, toPort}},
	{"listed, UDP", xdpPass, []testenv.Layer{testenv.IPv4{Src: friend4, Dst: web4}, testenv.UDP{Src: 40000, Dst: port}}},
	{"listed, VLAN tag", xdpPass, []testenv.Layer{testenv.VLAN{ID: 7}, testenv.IPv4{Src: friend4, Dst: web4}, toPort}},
	{"listed, IPv4 options", xdpPass, []testenv.Layer{testenv.IPv4{Src: friend4, Dst: web4, Options: []byte{1, 1, 1, 1}}, toPort}},
	{"ICMP echo", xdpPass, []testenv.Layer{testenv.IPv4{Src: alien4, Dst: web4}, testenv.ICMP{Type: 8}}},
	{"later fragment, listed", xdpPass, []testenv.Layer{testenv.IPv4{Src: friend4, Dst: web4, Offset: 1480}, testenv.Data{Protocol: 6, Bytes: make([]byte, 64)}}},
	{"later fragment, refused", xdpDrop, []testenv.Layer{testenv.IPv4{Src: alien4, Dst: web4, Offset: 1480}, testenv.Data{Protocol: 6, Bytes: make([]byte, 64)}}},
	{"listed, IPv6", xdpPass, []testenv.Layer{testenv.IPv6{Src: friend6, Dst: web6}, toPort}},
	{"refused, IPv6", xdpDrop, []testenv.Layer{testenv.IPv6{Src: alien6, Dst: web6}, toPort}},
	{"listed, IPv6 hop-by-hop", xdpPass, []testenv.Layer{testenv.IPv6{Src: friend6, Dst: web6}, testenv.Extension{Body: []byte{1, 4}}, toPort}},
	{"neighbour solicitation", xdpPass, []testenv.Layer{testenv.IPv6{Src: alien6, Dst: web6, Hops: 255}, testenv.ICMP{V6: true, Type: 135}}},
}

// byClass times a packet of each class, everything in the caches.
func (b *bench) byClass() {
	b.progress("program time: %d classes of packets", len(classes))
	b.act(func(b *bench) {
		d := b.newPostern(byIndex)
		b.Check(d.Apply(b.Context(), b.compile(classState()).Plan))
		bare, prog := newVerdict(b.Stage, xdpDrop), d.Program().Plain
		b.Check(pinned(cpu(), func() {
			for _, c := range classes {
				both := []*driver{{prog: bare, frame: c.frame()}, {prog: prog, frame: c.frame()}}
				values := interleaved(b.Stage, b.rounds, len(both), func(i int) float64 {
					ns, verdict := both[i].run(b.Stage, b.packets)
					if i == 1 && verdict != c.want {
						b.Fatalf("%s: verdict %d", c.name, verdict)
					}
					return ns
				})
				b.add("classes", c.name, 0, "bare drop, ns", newSample(values[0]))
				b.add("classes", c.name, 0, "Postern over it, ns", against(values[1], values[0], difference))
			}
		}))
	})
}

func (c class) frame() []byte {
	return testenv.Packet(append([]testenv.Layer{testenv.Ether{}}, c.layers...)...)
}

// classState guards TCP and UDP ports of two addresses.
func classState() *policy.State {
	s := stateOf([]tenant{{id: "t", allow: []netip.Prefix{
		netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8:1::/48"),
	}}})
	s.Endpoints = nil
	for _, at := range []netip.Addr{web4, web6} {
		for _, proto := range []policy.Protocol{policy.TCP, policy.UDP} {
			ep := endpoint("e"+at.String()[:1]+proto.String(), at, "t")
			ep.Protocol = proto
			s.Endpoints = append(s.Endpoints, ep)
		}
	}
	return s
}
