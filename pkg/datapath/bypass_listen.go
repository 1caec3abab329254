package datapath

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/postern-io/postern/pkg/policy"
)

// listener is a socket that waits for anybody.
type listener struct {
	proto policy.Protocol
	at    netip.AddrPort
	only6 bool
}

// listeners finds sockets on a guarded port that also hear on an address no
// endpoint covers.
func (s *survey) listeners() error {
	for _, proto := range []policy.Protocol{policy.TCP, policy.UDP} {
		for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
			all, err := readListeners(proto, family)
			if err != nil {
				return err
			}
			for _, l := range all {
				s.listener(l)
			}
		}
	}
	return nil
}

func (s *survey) listener(l listener) {
	covered := s.covered(portKey{l.proto, l.at.Port()})
	if empty(covered) || l.at.Addr().IsLoopback() {
		return
	}
	var open []string
	for _, p := range s.host.Local {
		if l.hears(p) && !covered.ContainsPrefix(p) {
			open = append(open, prefixText(p))
		}
	}
	if len(open) > 0 {
		s.add("listener", "leave out the endpoint's address, add endpoints for these, or bind the service to fewer",
			"%v %v hears on addresses no endpoint covers: %s", l.proto, l.at, strings.Join(slices.Compact(open), ", "))
	}
}

// hears reports whether what is sent to p reaches l.
func (l listener) hears(p netip.Prefix) bool {
	switch at := l.at.Addr(); {
	case at == netip.IPv6Unspecified():
		return p.Addr().Is6() || !l.only6
	case at == netip.IPv4Unspecified():
		return p.Addr().Is4()
	default:
		return p.Contains(at)
	}
}

func prefixText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// readListeners asks the kernel for the sockets that wait, and for no others: a
// busy host has a million more under /proc/net/tcp.
func readListeners(proto policy.Protocol, family uint8) ([]listener, error) {
	const tcpListen, udpUnconnected = 10, 7
	ask := inetDiag{family: family, protocol: unix.IPPROTO_TCP, states: 1 << tcpListen}
	if proto == policy.UDP {
		ask.protocol, ask.states = unix.IPPROTO_UDP, 1<<udpUnconnected
	}
	req := nl.NewNetlinkRequest(nl.SOCK_DIAG_BY_FAMILY, unix.NLM_F_DUMP)
	req.AddData(ask)
	messages, err := req.Execute(unix.NETLINK_INET_DIAG, 0)
	if err != nil {
		return nil, err
	}
	var all []listener
	for _, m := range messages {
		if l, ok := parseListener(m); ok {
			l.proto = proto
			all = append(all, l)
		}
	}
	return all, nil
}

// inetDiag is struct inet_diag_req_v2 without a socket in it.
type inetDiag struct {
	family, protocol uint8
	states           uint32
}

func (inetDiag) Len() int { return 56 }

func (d inetDiag) Serialize() []byte {
	b := make([]byte, d.Len())
	b[0], b[1] = d.family, d.protocol
	binary.NativeEndian.PutUint32(b[4:], d.states)
	return b
}

// parseListener reads struct inet_diag_msg and its attributes.
func parseListener(m []byte) (l listener, ok bool) {
	const size, sourcePort, source, skV6Only = 72, 4, 8, 11
	if len(m) < size {
		return l, false
	}
	addr := netip.AddrFrom4([4]byte(m[source:]))
	if m[0] == unix.AF_INET6 {
		addr = netip.AddrFrom16([16]byte(m[source:]))
	}
	l.at = netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(m[sourcePort:]))
	attrs, err := nl.ParseRouteAttr(m[size:])
	for _, a := range attrs {
		if a.Attr.Type == skV6Only && len(a.Value) > 0 {
			l.only6 = a.Value[0] == 1
		}
	}
	return l, err == nil
}
