package datapath

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
	te "github.com/postern-io/postern/pkg/testenv"
)

// row is one line of the packet path's table: what comes in, and what the program
// must find it to be. Its verdict follows from that.
type row struct {
	name   string
	frame  []byte
	reason bpfReason
}

// The addresses of rowState, and who comes from where.
var (
	web4, web6       = ip("192.0.2.10"), ip("2001:db8::10") // tcp/443, udp/53
	all4, all6       = ip("192.0.2.20"), ip("2001:db8::20") // every protocol
	other4, other6   = ip("192.0.2.30"), ip("2001:db8::30") // no endpoint
	asleep4          = ip("192.0.2.40")                     // tcp/443, off
	watched4         = ip("192.0.2.50")                     // tcp/443, in monitor
	listed4, listed6 = ip("198.51.100.7"), ip("2001:db8:1::7")
	denied4          = ip("198.51.100.66") // by the tenant
	unwanted4        = ip("198.51.100.99") // by web4
	alien4, alien6   = ip("203.0.113.7"), ip("2001:db8:2::7")
	safe4, safe6     = ip("203.0.113.129"), ip("2001:db8:3::7") // failsafe for tcp/22 and tcp/443
	tunnel4, tunnel6 = ip("203.0.113.65"), ip("2001:db8:4::7")  // may send tunnels
)

var ip = netip.MustParseAddr

func prefixes(texts ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, text := range texts {
		ps = append(ps, netip.MustParsePrefix(text))
	}
	return ps
}

func listOf(texts ...string) *policy.List {
	l := &policy.List{}
	for _, text := range texts {
		action := policy.Allow
		if text[0] == '!' {
			action, text = policy.Deny, text[1:]
		}
		r, err := addr.Parse(text)
		if err != nil {
			panic(err)
		}
		l.Entries = append(l.Entries, policy.Entry{Text: text, Range: r, Action: action})
	}
	return l
}

// rowState is what the rows are judged by.
func rowState() *policy.State {
	endpoint := func(name, to string, proto policy.Protocol, port uint16, mode policy.Mode) *policy.Endpoint {
		ep := &policy.Endpoint{
			Name: name, Protocol: proto, Resource: "*", Tenants: []string{"acme"}, Mode: mode,
			Destination: policy.Destination{Prefix: netip.MustParsePrefix(to)},
		}
		if proto != policy.AnyProtocol {
			ep.Ports = []policy.PortRange{{First: port, Last: port}}
		}
		return ep
	}
	web := endpoint("web4", "192.0.2.10/32", policy.TCP, 443, policy.Enforce)
	web.Policies = listOf("!198.51.100.99")
	return &policy.State{
		Tenants: policy.MapOf(map[string]*policy.Tenant{"acme": {ID: "acme", Lists: map[string]*policy.List{
			"*": listOf("198.51.100.0/24", "!198.51.100.66", "2001:db8:1::/48"),
		}}}),
		TunnelsFrom: prefixes("203.0.113.64/27", "2001:db8:4::/48"),
		Failsafe: []policy.Failsafe{{
			Protocol: policy.TCP, Ports: []policy.PortRange{{First: 22, Last: 22}, {First: 443, Last: 443}},
			From: prefixes("203.0.113.128/25", "2001:db8:3::/48"),
		}},
		Endpoints: []*policy.Endpoint{
			web,
			endpoint("web6", "2001:db8::10/128", policy.TCP, 443, policy.Enforce),
			endpoint("watched4", "192.0.2.50/32", policy.TCP, 443, policy.Monitor),
			endpoint("asleep4", "192.0.2.40/32", policy.TCP, 443, policy.Off),
			endpoint("dns4", "192.0.2.10/32", policy.UDP, 53, policy.Enforce),
			endpoint("dns6", "2001:db8::10/128", policy.UDP, 53, policy.Enforce),
			endpoint("all4", "192.0.2.20/32", policy.AnyProtocol, 0, policy.Enforce),
			endpoint("all6", "2001:db8::20/128", policy.AnyProtocol, 0, policy.Enforce),
		},
	}
}

var rowHost = policy.Host{
	Local: prefixes("192.0.2.10/32", "192.0.2.20/32", "192.0.2.30/32",
		"2001:db8::10/128", "2001:db8::20/128", "2001:db8::30/128"),
	Broadcast: []netip.Addr{ip("192.0.2.255")},
}

func compile(t testing.TB, s *policy.State, host policy.Host) *policy.Plan {
	t.Helper()
	table, err := policy.Compile(s, host, time.Unix(1, 0))
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return table.Plan
}

// frame is a packet on Ethernet.
func frame(layers ...te.Layer) []byte { return te.Packet(append([]te.Layer{te.Ether{}}, layers...)...) }

func from4(src, dst netip.Addr, layers ...te.Layer) []byte {
	return frame(append([]te.Layer{te.IPv4{Src: src, Dst: dst}}, layers...)...)
}

func from6(src, dst netip.Addr, layers ...te.Layer) []byte {
	return frame(append([]te.Layer{te.IPv6{Src: src, Dst: dst}}, layers...)...)
}

func tcp(port uint16) te.TCP { return te.TCP{Src: 40000, Dst: port} }
func udp(port uint16) te.UDP { return te.UDP{Src: 40000, Dst: port} }

// data is bytes of a protocol, enough for any header.
func data(protocol uint16) te.Data {
	return te.Data{Protocol: protocol, Bytes: make([]byte, 64)}
}

func cut(frame []byte, n int) []byte { return frame[:n] }

// poke writes a byte over a frame's.
func poke(frame []byte, at int, value byte) []byte {
	frame = slices.Clone(frame)
	frame[at] = value
	return frame
}

// Where a field lies in an untagged frame.
const (
	ipVersion  = 14
	ipv4Length = 14 + 2
	ipv6Length = 14 + 4
)

// length writes a packet's length field.
func length(frame []byte, at int, n uint16) []byte {
	frame = slices.Clone(frame)
	binary.BigEndian.PutUint16(frame[at:], n)
	return frame
}

func options4(src, dst netip.Addr, options ...byte) []byte {
	return frame(te.IPv4{Src: src, Dst: dst, Options: options}, tcp(443))
}

func extensions6(src, dst netip.Addr, headers []uint8, last te.Layer) []byte {
	layers := []te.Layer{te.IPv6{Src: src, Dst: dst}}
	for _, h := range headers {
		layers = append(layers, te.Extension{Header: h, Body: make([]byte, 6)})
	}
	return frame(append(layers, last)...)
}

func repeat(h uint8, n int) []uint8 { return slices.Repeat([]uint8{h}, n) }

// quote is an ICMP error that quotes a packet from src to dst.
func quote4(src, dst netip.Addr) te.Data {
	return te.Data{Bytes: te.Packet(te.IPv4{Src: src, Dst: dst}, tcp(40000))}
}

func quote6(src, dst netip.Addr) te.Data {
	return te.Data{Bytes: te.Packet(te.IPv6{Src: src, Dst: dst}, tcp(40000))}
}

// rows are the whole table.
func rows() []row {
	all := []row{
		{"arp", frame(te.Data{Protocol: 0x0806, Bytes: make([]byte, 46)}), bpfReasonARP},
		{"lldp", frame(te.Data{Protocol: 0x88cc, Bytes: make([]byte, 46)}), bpfReasonLLDP},
		{"eapol", frame(te.Data{Protocol: 0x888e, Bytes: make([]byte, 46)}), bpfReasonEAPOL},
		{"other-type", frame(te.Data{Protocol: 0x88f7, Bytes: make([]byte, 46)}), bpfReasonNOT_IP},
		{"length-field", frame(te.Data{Protocol: 46, Bytes: make([]byte, 46)}), bpfReasonNOT_IP},
		{"mpls-unicast", frame(te.Data{Protocol: 0x8847, Bytes: make([]byte, 46)}), bpfReasonMPLS_DROPPED},
		{"mpls-multicast", frame(te.Data{Protocol: 0x8848, Bytes: make([]byte, 46)}), bpfReasonMPLS_DROPPED},
		{"header-cut-link", cut(from4(listed4, web4, tcp(443)), 14), bpfReasonHEADER_CUT},
		{"header-cut-ipv4", cut(from4(listed4, web4, tcp(443)), 14+19), bpfReasonHEADER_CUT},
		{"header-cut-ipv6", cut(from6(listed6, web6, tcp(443)), 14+39), bpfReasonHEADER_CUT},
		{"header-cut-version", poke(from4(listed4, web4, tcp(443)), ipVersion, 0x65), bpfReasonHEADER_CUT},
		{"header-cut-version6", poke(from6(listed6, web6, tcp(443)), ipVersion, 0x45), bpfReasonHEADER_CUT},
	}
	all = append(all, vlanRows()...)
	all = append(all, listRows()...)
	all = append(all, ipv4Rows()...)
	all = append(all, ipv6Rows()...)
	all = append(all, fragmentRows()...)
	all = append(all, controlRows()...)
	return append(all, tunnelRows()...)
}

func vlanRows() []row {
	tagged := func(src netip.Addr, tags ...uint16) []byte {
		layers := []te.Layer{}
		for _, tag := range tags {
			layers = append(layers, te.VLAN{ID: 7, Type: tag})
		}
		return frame(append(layers, te.IPv4{Src: src, Dst: web4}, tcp(443))...)
	}
	return []row{
		{"vlan-listed", tagged(listed4, 0x8100), bpfReasonLISTED},
		{"vlan-alien", tagged(alien4, 0x8100), bpfReasonNOT_LISTED_TENANT},
		{"service-vlan-alien", tagged(alien4, 0x88a8), bpfReasonNOT_LISTED_TENANT},
		{"qinq-listed", tagged(listed4, 0x88a8, 0x8100), bpfReasonLISTED},
		{"qinq-alien", tagged(alien4, 0x88a8, 0x8100), bpfReasonNOT_LISTED_TENANT},
		{"vlan-twice-alien", tagged(alien4, 0x8100, 0x8100), bpfReasonNOT_LISTED_TENANT},
		{"vlan-ipv6-alien", frame(te.VLAN{ID: 7}, te.IPv6{Src: alien6, Dst: web6}, tcp(443)), bpfReasonNOT_LISTED_TENANT},
		{"vlan-arp", frame(te.VLAN{ID: 7}, te.Data{Protocol: 0x0806, Bytes: make([]byte, 46)}), bpfReasonARP},
		{"vlan-mpls", frame(te.VLAN{ID: 7}, te.Data{Protocol: 0x8847, Bytes: make([]byte, 46)}), bpfReasonMPLS_DROPPED},
		{"vlan-thrice", tagged(listed4, 0x88a8, 0x8100, 0x8100), bpfReasonVLAN_DEPTH},
		{"vlan-cut", cut(tagged(listed4, 0x8100), 14+3), bpfReasonHEADER_CUT},
	}
}

func listRows() []row {
	return []row{
		{"listed-ipv4", from4(listed4, web4, tcp(443)), bpfReasonLISTED},
		{"listed-ipv6", from6(listed6, web6, tcp(443)), bpfReasonLISTED},
		{"alien-ipv4", from4(alien4, web4, tcp(443)), bpfReasonNOT_LISTED_TENANT},
		{"alien-ipv6", from6(alien6, web6, tcp(443)), bpfReasonNOT_LISTED_TENANT},
		{"denied-by-endpoint", from4(unwanted4, web4, tcp(443)), bpfReasonNOT_LISTED},
		{"deny-inside-allow", from4(denied4, web4, tcp(443)), bpfReasonNOT_LISTED_TENANT},
		{"endpoint-off", from4(alien4, asleep4, tcp(443)), bpfReasonENDPOINT_OFF},
		{"endpoint-off-truncated", cut(from4(alien4, asleep4, tcp(443)), 14+20+8), bpfReasonENDPOINT_OFF},
		{"other-port", from4(alien4, web4, tcp(80)), bpfReasonNO_ENDPOINT},
		{"other-port-ipv6", from6(alien6, web6, tcp(80)), bpfReasonNO_ENDPOINT},
		{"other-protocol", from4(alien4, web4, udp(443)), bpfReasonNO_ENDPOINT},
		{"other-address", from4(alien4, other4, tcp(443)), bpfReasonNO_ENDPOINT},
		{"other-address-ipv6", from6(alien6, other6, tcp(443)), bpfReasonNO_ENDPOINT},
		{"udp-listed", from4(listed4, web4, udp(53)), bpfReasonLISTED},
		{"udp-alien", from4(alien4, web4, udp(53)), bpfReasonNOT_LISTED_TENANT},
		{"udp-alien-ipv6", from6(alien6, web6, udp(53)), bpfReasonNOT_LISTED_TENANT},
		{"any-tcp-listed", from4(listed4, all4, tcp(9)), bpfReasonLISTED},
		{"any-tcp-alien", from4(alien4, all4, tcp(9)), bpfReasonNOT_LISTED_TENANT},
		{"any-udp-alien-ipv6", from6(alien6, all6, udp(65535)), bpfReasonNOT_LISTED_TENANT},

		{"broadcast-alien", from4(alien4, ip("255.255.255.255"), udp(53)), bpfReasonNOT_LISTED_TENANT},
		{"broadcast-listed", from4(listed4, ip("255.255.255.255"), udp(53)), bpfReasonLISTED},
		{"broadcast-subnet-alien", from4(alien4, ip("192.0.2.255"), udp(53)), bpfReasonNOT_LISTED_TENANT},
		{"broadcast-zero-alien", from4(ip("0.0.0.0"), ip("0.0.0.0"), udp(53)), bpfReasonNOT_LISTED_TENANT},
		{"multicast-alien", from4(alien4, ip("224.0.0.1"), udp(53)), bpfReasonNOT_LISTED_TENANT},
		{"multicast-alien-ipv6", from6(alien6, ip("ff02::1"), udp(53)), bpfReasonNOT_LISTED_TENANT},
		{"multicast-listed-ipv6", from6(listed6, ip("ff02::1"), udp(53)), bpfReasonLISTED},

		{"failsafe", from4(safe4, web4, tcp(443)), bpfReasonFAILSAFE},
		{"failsafe-ipv6", from6(safe6, web6, tcp(443)), bpfReasonFAILSAFE},
		{"failsafe-any-endpoint", from4(safe4, all4, tcp(22)), bpfReasonFAILSAFE},
		{"failsafe-no-endpoint", from4(safe4, other4, tcp(22)), bpfReasonFAILSAFE},
		{"failsafe-alien", from4(alien4, all4, tcp(22)), bpfReasonNOT_LISTED_TENANT},
		{"failsafe-other-port", from4(safe4, all4, tcp(23)), bpfReasonNOT_LISTED_TENANT},
		{"failsafe-other-protocol", from4(safe4, all4, udp(22)), bpfReasonNOT_LISTED_TENANT},

		{"loopback-source", from4(ip("127.0.0.1"), web4, tcp(443)), bpfReasonLOOPBACK},
		{"loopback-source-no-endpoint", from4(ip("127.255.0.1"), other4, tcp(443)), bpfReasonLOOPBACK},
		{"loopback-destination", from4(listed4, ip("127.0.0.1"), tcp(80)), bpfReasonLOOPBACK},
		{"loopback-source-ipv6", from6(ip("::1"), web6, tcp(443)), bpfReasonLOOPBACK},
		{"loopback-destination-ipv6", from6(listed6, ip("::1"), tcp(80)), bpfReasonLOOPBACK},
		{"loopback-neighbour", from6(ip("::2"), web6, tcp(443)), bpfReasonNOT_LISTED_TENANT},
	}
}

func ipv4Rows() []row {
	ok := from4(listed4, web4, tcp(443))
	return []row{
		{"source-route-loose", options4(listed4, web4, 131, 7, 4, 192, 0, 2, 1, 0), bpfReasonSOURCE_ROUTE},
		{"source-route-strict", options4(listed4, web4, 137, 7, 4, 192, 0, 2, 1, 0), bpfReasonSOURCE_ROUTE},
		{"source-route-behind-others", options4(listed4, web4, 1, 1, 148, 4, 0, 0, 131, 3, 4), bpfReasonSOURCE_ROUTE},
		{"source-route-no-endpoint", options4(alien4, other4, 131, 7, 4, 192, 0, 2, 1, 0), bpfReasonSOURCE_ROUTE},
		{"source-route-failsafe", options4(safe4, web4, 131, 3, 4), bpfReasonSOURCE_ROUTE},
		{"options-listed", options4(listed4, web4, 148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0), bpfReasonLISTED},
		{"options-alien", options4(alien4, web4, 148, 4, 0, 0), bpfReasonNOT_LISTED_TENANT},
		{"options-forty-no-ops", options4(alien4, web4, slices.Repeat([]byte{1}, 40)...), bpfReasonNOT_LISTED_TENANT},
		{"options-end-of-list", options4(listed4, web4, 0, 131, 3, 4), bpfReasonLISTED},
		{"options-past-end", options4(listed4, web4, 148, 5, 0, 0), bpfReasonOPTIONS},
		{"options-zero-length", options4(listed4, web4, 148, 0, 0, 0), bpfReasonOPTIONS},
		{"options-no-length", options4(listed4, web4, 1, 1, 1, 148), bpfReasonOPTIONS},
		{"options-no-endpoint", options4(alien4, other4, 148, 0, 0, 0), bpfReasonNO_ENDPOINT},
		{"options-cut", cut(options4(listed4, web4, 148, 4, 0, 0), 14+22), bpfReasonTRUNCATED},

		{"header-too-short", poke(ok, ipVersion, 0x44), bpfReasonMALFORMED},
		{"header-too-short-no-endpoint", poke(from4(alien4, other4, tcp(443)), ipVersion, 0x44), bpfReasonNO_ENDPOINT},
		{"length-under-header", length(ok, ipv4Length, 19), bpfReasonMALFORMED},
		{"length-over-frame", length(ok, ipv4Length, 41), bpfReasonTRUNCATED},
		{"length-over-frame-no-endpoint", length(from4(alien4, other4, tcp(443)), ipv4Length, 41), bpfReasonNO_ENDPOINT},
		{"length-hides-ports", length(ok, ipv4Length, 39), bpfReasonTRUNCATED},
		{"length-zero-listed", length(ok, ipv4Length, 0), bpfReasonLISTED},
		{"length-zero-alien", length(from4(alien4, web4, tcp(443)), ipv4Length, 0), bpfReasonNOT_LISTED_TENANT},
		{"padding", append(slices.Clone(ok), make([]byte, 20)...), bpfReasonLISTED},
		{"truncated-tcp", frame(te.IPv4{Src: listed4, Dst: web4}, te.Data{Protocol: 6, Bytes: make([]byte, 19)}), bpfReasonTRUNCATED},
		{"truncated-udp", frame(te.IPv4{Src: listed4, Dst: web4}, te.Data{Protocol: 17, Bytes: make([]byte, 7)}), bpfReasonTRUNCATED},
		{"truncated-icmp", frame(te.IPv4{Src: listed4, Dst: web4}, te.Data{Protocol: 1, Bytes: make([]byte, 7)}), bpfReasonTRUNCATED},
		{"truncated-no-endpoint", frame(te.IPv4{Src: alien4, Dst: other4}, te.Data{Protocol: 6, Bytes: make([]byte, 19)}), bpfReasonNO_ENDPOINT},
	}
}

func ipv6Rows() []row {
	home := func(dst netip.Addr, body ...byte) []byte {
		return frame(te.IPv6{Src: listed6, Dst: dst}, te.Extension{Header: 60, Body: body}, tcp(443))
	}
	homeAddress := append([]byte{201, 16}, make([]byte, 16)...)
	routing := func(dst netip.Addr, kind, left byte) []byte {
		return frame(te.IPv6{Src: alien6, Dst: dst}, te.Extension{Header: 43, Body: []byte{kind, left, 0, 0, 0, 0}}, tcp(443))
	}
	ok := from6(listed6, web6, tcp(443))
	rows := []row{
		{"home-address", home(web6, homeAddress...), bpfReasonHOME_ADDRESS},
		{"home-address-no-endpoint", home(other6, homeAddress...), bpfReasonHOME_ADDRESS},
		{"home-address-behind-padding", home(web6, slices.Concat([]byte{0, 1, 2, 0, 0}, homeAddress)...), bpfReasonHOME_ADDRESS},
		{"destination-options", home(web6, 1, 4, 0, 0, 0, 0), bpfReasonLISTED},
		{"destination-options-past-end", home(web6, 1, 5, 0, 0, 0, 0), bpfReasonEXTENSION_HEADERS},
		{"destination-options-too-many", home(web6, make([]byte, 70)...), bpfReasonEXTENSION_HEADERS},
		{"destination-options-no-length", home(web6, 0, 0, 0, 0, 0, 7), bpfReasonEXTENSION_HEADERS},
		{"routing-left", routing(web6, 2, 1), bpfReasonROUTING_HEADER},
		{"routing-left-no-endpoint", routing(other6, 4, 1), bpfReasonROUTING_HEADER},
		{"routing-done-alien", routing(web6, 4, 0), bpfReasonNOT_LISTED_TENANT},
		{"hop-by-hop-later", extensions6(listed6, web6, []uint8{60, 0}, tcp(443)), bpfReasonEXTENSION_HEADERS},
		{"hop-by-hop-later-multicast", extensions6(alien6, ip("ff02::1"), []uint8{60, 0}, udp(53)), bpfReasonEXTENSION_HEADERS},
		{"headers-eight-alien", extensions6(alien6, web6, repeat(60, 8), tcp(443)), bpfReasonNOT_LISTED_TENANT},
		{"headers-eight-mixed", extensions6(listed6, web6, []uint8{0, 60, 43, 51, 135, 139, 140, 60}, tcp(443)), bpfReasonLISTED},
		{"headers-nine", extensions6(listed6, web6, repeat(60, 9), tcp(443)), bpfReasonEXTENSION_HEADERS},
		{"headers-nine-multicast", extensions6(alien6, ip("ff02::1"), repeat(60, 9), udp(53)), bpfReasonEXTENSION_HEADERS},
		{"headers-nine-no-endpoint", extensions6(alien6, other6, repeat(60, 9), tcp(443)), bpfReasonNO_ENDPOINT},
		{"header-past-end", poke(extensions6(listed6, web6, []uint8{60}, tcp(443)), 14+40+1, 9), bpfReasonTRUNCATED},
		{"header-cut", cut(extensions6(listed6, web6, []uint8{60}, tcp(443)), 14+40+4), bpfReasonTRUNCATED},
		{"header-of-four-bytes", poke(extensions6(listed6, web6, []uint8{51}, tcp(443)), 14+40+1, 255), bpfReasonTRUNCATED},
		{"no-next-header", extensions6(alien6, web6, []uint8{60}, te.Data{Protocol: 59}), bpfReasonNO_ANY_ENDPOINT},

		{"length6-over-frame", length(ok, ipv6Length, 21), bpfReasonTRUNCATED},
		{"length6-hides-ports", length(ok, ipv6Length, 19), bpfReasonTRUNCATED},
		{"length6-zero-listed", length(ok, ipv6Length, 0), bpfReasonLISTED},
		{"length6-zero-alien", length(from6(alien6, web6, tcp(443)), ipv6Length, 0), bpfReasonNOT_LISTED_TENANT},
		{"truncated-tcp-ipv6", frame(te.IPv6{Src: listed6, Dst: web6}, te.Data{Protocol: 6, Bytes: make([]byte, 19)}), bpfReasonTRUNCATED},
		{"truncated-icmp-ipv6", frame(te.IPv6{Src: listed6, Dst: web6}, te.Data{Protocol: 58, Bytes: make([]byte, 7)}), bpfReasonTRUNCATED},
	}
	for _, h := range []struct {
		name   string
		number uint8
	}{
		{"hop-by-hop", 0},
		{"routing", 43},
		{"authentication", 51},
		{"destination-options", 60},
		{"mobility", 135},
		{"hip", 139},
		{"shim6", 140},
	} {
		rows = append(rows,
			row{h.name + "-header-listed", extensions6(listed6, web6, []uint8{h.number}, tcp(443)), bpfReasonLISTED},
			row{h.name + "-header-alien", extensions6(alien6, web6, []uint8{h.number}, tcp(443)), bpfReasonNOT_LISTED_TENANT},
		)
	}
	return rows
}

func fragmentRows() []row {
	first4 := func(src, dst netip.Addr, layers ...te.Layer) []byte {
		return frame(append([]te.Layer{te.IPv4{Src: src, Dst: dst, More: true}}, layers...)...)
	}
	later4 := func(src, dst netip.Addr, offset int, protocol uint16) []byte {
		return frame(te.IPv4{Src: src, Dst: dst, Offset: offset}, data(protocol))
	}
	first6 := func(src, dst netip.Addr, layers ...te.Layer) []byte {
		return frame(append([]te.Layer{te.IPv6{Src: src, Dst: dst}, te.Fragment{More: true}}, layers...)...)
	}
	later6 := func(src, dst netip.Addr, offset int, protocol uint16) []byte {
		return frame(te.IPv6{Src: src, Dst: dst}, te.Fragment{Offset: offset}, data(protocol))
	}
	short := func(protocol uint16, n int) te.Data { return te.Data{Protocol: protocol, Bytes: make([]byte, n)} }
	return []row{
		{"first-fragment-listed", first4(listed4, web4, tcp(443), data(0)), bpfReasonLISTED},
		{"first-fragment-alien", first4(alien4, web4, tcp(443), data(0)), bpfReasonNOT_LISTED_TENANT},
		{"first-fragment-failsafe", first4(safe4, web4, tcp(443), data(0)), bpfReasonFAILSAFE},
		{"first-fragment-tiny-tcp", first4(listed4, web4, short(6, 16)), bpfReasonFIRST_FRAGMENT},
		{"first-fragment-tiny-no-endpoint", first4(alien4, other4, short(6, 16)), bpfReasonFIRST_FRAGMENT},
		{"first-fragment-tiny-udp", first4(listed4, web4, short(17, 0)), bpfReasonFIRST_FRAGMENT},
		{"first-fragment-tiny-icmp", first4(listed4, web4, short(1, 0)), bpfReasonFIRST_FRAGMENT},
		{"later-fragment-listed", later4(listed4, web4, 1480, 6), bpfReasonFRAGMENT_LISTED},
		{"later-fragment-alien", later4(alien4, web4, 1480, 6), bpfReasonFRAGMENT},
		{"later-fragment-alien-any", later4(alien4, all4, 1480, 17), bpfReasonFRAGMENT},
		{"later-fragment-failsafe", later4(safe4, web4, 1480, 6), bpfReasonFRAGMENT_LISTED},
		{"later-fragment-tunnel", later4(tunnel4, web4, 1480, 6), bpfReasonFRAGMENT},
		{"later-fragment-no-endpoint", later4(alien4, other4, 1480, 6), bpfReasonNO_ENDPOINT},
		{"fragment-over-tcp-header", later4(listed4, web4, 8, 6), bpfReasonOVERLAP},
		{"fragment-over-tcp-header-no-endpoint", later4(alien4, other4, 8, 6), bpfReasonNO_ENDPOINT},
		{"fragment-behind-udp-header", later4(listed4, web4, 8, 17), bpfReasonFRAGMENT_LISTED},

		{"first-fragment-listed-ipv6", first6(listed6, web6, tcp(443), data(0)), bpfReasonLISTED},
		{"first-fragment-alien-ipv6", first6(alien6, web6, tcp(443), data(0)), bpfReasonNOT_LISTED_TENANT},
		{"first-fragment-tiny-ipv6", first6(listed6, web6, short(6, 16)), bpfReasonFIRST_FRAGMENT},
		{"first-fragment-headers-only", first6(alien6, other6, te.Extension{Header: 60, Body: make([]byte, 6)}, short(17, 0)), bpfReasonFIRST_FRAGMENT},
		{"later-fragment-listed-ipv6", later6(listed6, web6, 1448, 6), bpfReasonFRAGMENT_LISTED},
		{"later-fragment-alien-ipv6", later6(alien6, web6, 1448, 6), bpfReasonFRAGMENT},
		{"later-fragment-failsafe-ipv6", later6(safe6, web6, 1448, 6), bpfReasonFRAGMENT_LISTED},
		{"later-fragment-no-endpoint-ipv6", later6(alien6, other6, 1448, 6), bpfReasonNO_ENDPOINT},
		{"fragment-over-tcp-header-ipv6", later6(listed6, web6, 8, 6), bpfReasonOVERLAP},
		{"atomic-fragment-listed", frame(te.IPv6{Src: listed6, Dst: web6}, te.Fragment{}, tcp(443)), bpfReasonLISTED},
		{"atomic-fragment-alien", frame(te.IPv6{Src: alien6, Dst: web6}, te.Fragment{}, tcp(443)), bpfReasonNOT_LISTED_TENANT},
		{"later-fragment-behind-header", frame(te.IPv6{Src: alien6, Dst: web6}, te.Extension{Header: 60, Body: make([]byte, 6)},
			te.Fragment{Offset: 1448}, data(6)), bpfReasonFRAGMENT},
	}
}

func controlRows() []row {
	icmp6 := func(src, dst netip.Addr, kind, hops uint8) []byte {
		return frame(te.IPv6{Src: src, Dst: dst, Hops: hops}, te.ICMP{V6: true, Type: kind}, data(0))
	}
	pmtu4 := func(src, dst netip.Addr, quoted te.Data) []byte {
		return from4(src, dst, te.ICMP{Type: 3, Code: 4}, quoted)
	}
	pmtu6 := func(src, dst netip.Addr, quoted te.Data) []byte {
		return from6(src, dst, te.ICMP{V6: true, Type: 2}, quoted)
	}
	control := ip("ff02::1")
	rows := []row{
		{"multicast-listener-far", icmp6(alien6, all6, 130, 2), bpfReasonNOT_LISTED_TENANT},
		{"neighbour-far", icmp6(alien6, all6, 135, 254), bpfReasonNOT_LISTED_TENANT},
		{"neighbour-fragment", frame(te.IPv6{Src: alien6, Dst: all6, Hops: 255}, te.Fragment{More: true},
			te.ICMP{V6: true, Type: 135}, data(0)), bpfReasonNOT_LISTED_TENANT},
		{"multicast-listener-report", frame(te.IPv6{Src: alien6, Dst: ip("ff02::16"), Hops: 1},
			te.Extension{Header: 0, Body: []byte{5, 2, 0, 0, 1, 0}}, te.ICMP{V6: true, Type: 143}, data(0)), bpfReasonMULTICAST_LISTENER},
		{"igmp", frame(te.IPv4{Src: alien4, Dst: ip("224.0.0.22"), TTL: 1, Options: []byte{148, 4, 0, 0}}, data(2)), bpfReasonIGMP},
		{"igmp-any", frame(te.IPv4{Src: alien4, Dst: all4, TTL: 1}, data(2)), bpfReasonIGMP},
		{"igmp-far", frame(te.IPv4{Src: alien4, Dst: all4, TTL: 2}, data(2)), bpfReasonNOT_LISTED_TENANT},
		{"link-control-ospf", from4(alien4, ip("224.0.0.5"), data(89)), bpfReasonLINK_CONTROL},
		{"link-control-vrrp-ipv6", from6(alien6, ip("ff02::12"), data(112)), bpfReasonLINK_CONTROL},
		{"link-control-wider", from4(alien4, ip("224.0.1.5"), data(89)), bpfReasonNO_ANY_ENDPOINT},
		{"dhcp-any", frame(te.IPv4{Src: alien4, Dst: all4}, te.UDP{Src: 67, Dst: 68}, data(0)), bpfReasonDHCP},
		{"dhcp-broadcast", frame(te.IPv4{Src: alien4, Dst: ip("255.255.255.255")}, te.UDP{Src: 67, Dst: 68}, data(0)), bpfReasonDHCP},
		{"dhcp-other-source-port", frame(te.IPv4{Src: alien4, Dst: all4}, te.UDP{Src: 66, Dst: 68}, data(0)), bpfReasonNOT_LISTED_TENANT},
		{"dhcp-server-port", frame(te.IPv4{Src: alien4, Dst: all4}, te.UDP{Src: 68, Dst: 67}, data(0)), bpfReasonNOT_LISTED_TENANT},
		{"dhcp6-any", frame(te.IPv6{Src: alien6, Dst: all6}, te.UDP{Src: 547, Dst: 546}, data(0)), bpfReasonDHCP},
		{"dhcp6-other-source-port", frame(te.IPv6{Src: alien6, Dst: all6}, te.UDP{Src: 546, Dst: 546}, data(0)), bpfReasonNOT_LISTED_TENANT},

		{"icmp-echo", from4(alien4, web4, te.ICMP{Type: 8}, data(0)), bpfReasonNO_ANY_ENDPOINT},
		{"icmp-echo-any-listed", from4(listed4, all4, te.ICMP{Type: 8}, data(0)), bpfReasonLISTED},
		{"icmp-echo-any-alien", from4(alien4, all4, te.ICMP{Type: 8}, data(0)), bpfReasonNOT_LISTED_TENANT},
		{"icmp-echo-any-alien-ipv6", icmp6(alien6, all6, 128, 64), bpfReasonNOT_LISTED_TENANT},
		{"icmp-number-in-ipv6", from6(alien6, all6, data(1)), bpfReasonNOT_LISTED_TENANT},
		{"icmpv6-number-in-ipv4", from4(alien4, all4, data(58)), bpfReasonNOT_LISTED_TENANT},
		{"esp", from4(alien4, web4, data(50)), bpfReasonNO_ANY_ENDPOINT},
		{"sctp-any-listed", from4(listed4, all4, data(132)), bpfReasonLISTED},
		{"sctp-any-alien", from4(alien4, all4, data(132)), bpfReasonNOT_LISTED_TENANT},
		{"path-mtu", pmtu4(alien4, web4, quote4(web4, listed4)), bpfReasonPATH_MTU},
		{"path-mtu-ipv6", pmtu6(alien6, web6, quote6(web6, listed6)), bpfReasonPATH_MTU},
		{"path-mtu-no-endpoint", pmtu4(alien4, other4, quote4(other4, listed4)), bpfReasonNO_ENDPOINT},
		{"path-mtu-any-ours", pmtu4(alien4, all4, quote4(all4, listed4)), bpfReasonPATH_MTU},
		{"path-mtu-any-ours-ipv6", pmtu6(alien6, all6, quote6(all6, listed6)), bpfReasonPATH_MTU},
		{"path-mtu-any-foreign", pmtu4(alien4, all4, quote4(other4, listed4)), bpfReasonNOT_LISTED_TENANT},
		{"path-mtu-any-foreign-ipv6", pmtu6(alien6, all6, quote6(other6, listed6)), bpfReasonNOT_LISTED_TENANT},
		{"path-mtu-any-to-alien", pmtu4(alien4, all4, quote4(all4, alien4)), bpfReasonNOT_LISTED_TENANT},
		{"path-mtu-any-no-quote", pmtu4(alien4, all4, te.Data{Bytes: make([]byte, 19)}), bpfReasonNOT_LISTED_TENANT},
		{"unreachable-any-alien", from4(alien4, all4, te.ICMP{Type: 3, Code: 3}, quote4(all4, listed4)), bpfReasonNOT_LISTED_TENANT},
	}
	for kind := uint8(130); kind <= 137; kind++ {
		name, hops, reason := "neighbour-discovery-", uint8(255), bpfReasonNEIGHBOUR_DISCOVERY
		if kind <= 132 {
			name, hops, reason = "multicast-listener-", 1, bpfReasonMULTICAST_LISTENER
		}
		name += strconv.Itoa(int(kind))
		rows = append(rows,
			row{name, icmp6(alien6, control, kind, hops), reason},
			row{name + "-any", icmp6(alien6, all6, kind, hops), reason},
		)
	}
	return rows
}

func tunnelRows() []row {
	var rows []row
	for _, tunnel := range []struct {
		name     string
		protocol uint16
	}{
		{"ipip", 4},
		{"sit", 41},
		{"gre", 47},
		{"ipip-94", 94},
		{"etherip", 97},
		{"encap", 98},
		{"l2tp", 115},
		{"mpls-in-ip", 137},
	} {
		rows = append(rows,
			row{tunnel.name + "-alien", from4(alien4, web4, data(tunnel.protocol)), bpfReasonTUNNEL},
			row{tunnel.name + "-alien-ipv6", from6(alien6, web6, data(tunnel.protocol)), bpfReasonTUNNEL},
			row{tunnel.name + "-listed", from4(listed4, web4, data(tunnel.protocol)), bpfReasonTUNNEL_LISTED},
			row{tunnel.name + "-declared", from4(tunnel4, web4, data(tunnel.protocol)), bpfReasonTUNNEL_LISTED},
			row{tunnel.name + "-declared-ipv6", from6(tunnel6, web6, data(tunnel.protocol)), bpfReasonTUNNEL_LISTED},
			row{tunnel.name + "-failsafe", from4(safe4, web4, data(tunnel.protocol)), bpfReasonTUNNEL},
			row{tunnel.name + "-no-endpoint", from4(alien4, other4, data(tunnel.protocol)), bpfReasonNO_ENDPOINT},
		)
	}
	return rows
}
