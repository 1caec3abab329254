package clientip

import (
	"net/netip"
	"strings"
)

// maxToken is the length of the longest token there is, an IPv6 address with an
// IPv4 tail, in brackets and with a port.
const maxToken = len("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535")

// parseToken reads one address of a chain: v4, v4:port, v6, [v6] or [v6]:port.
// A zone means nothing away from its own host, and nobody is at 0.0.0.0 or ::,
// so neither names a client.
func parseToken(token string) (netip.Addr, bool) {
	if len(token) > maxToken || strings.Contains(token, "%") {
		return netip.Addr{}, false
	}
	addr, err := parseForm(token)
	return addr, err == nil && !addr.Unmap().IsUnspecified()
}

func parseForm(token string) (netip.Addr, error) {
	inner, bracketed := strings.CutPrefix(token, "[")
	if !bracketed && strings.Count(token, ":") != 1 {
		return netip.ParseAddr(token)
	}
	if inner, ok := strings.CutSuffix(inner, "]"); bracketed && ok && strings.Contains(inner, ":") {
		return netip.ParseAddr(inner)
	}
	with, err := netip.ParseAddrPort(token)
	return with.Addr(), err
}
