package datapath

import (
	"net/netip"
	"slices"
	"strings"

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
		all, err := readListeners(proto)
		if err != nil {
			return err
		}
		for _, l := range all {
			s.listener(l)
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

// readListeners are the sockets that wait.
func readListeners(proto policy.Protocol) ([]listener, error) {
	ask := inetDiag{protocol: unix.IPPROTO_TCP, states: tcpListen}
	if proto == policy.UDP {
		ask.protocol, ask.states = unix.IPPROTO_UDP, udpUnconnected
	}
	waiting, err := sockets(ask)
	if err != nil {
		return nil, err
	}
	all := make([]listener, len(waiting))
	for i, s := range waiting {
		all[i] = listener{proto, s.local, s.only6}
	}
	return all, nil
}
