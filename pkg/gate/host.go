package gate

import (
	"net/netip"
	"strings"
)

// canonicalHost is a request's Host as tenants' hosts are written: lower case,
// without port and one trailing dot, an IPv6 address in its one form and without
// brackets. What is no host is "", which is nobody's; so is a name outside ASCII,
// since on the wire names are A-labels.
func canonicalHost(host string) string {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		return canonicalIPv6(inner)
	}
	name, port, _ := strings.Cut(host, ":")
	if !isPort(port) || strings.ContainsFunc(name, func(r rune) bool { return r > '~' }) {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// canonicalIPv6 reads "v6]" and "v6]:port".
func canonicalIPv6(rest string) string {
	inner, rest, closed := strings.Cut(rest, "]")
	port, colon := strings.CutPrefix(rest, ":")
	addr, err := netip.ParseAddr(inner)
	if !closed || rest != "" && !colon || !isPort(port) || err != nil || !addr.Is6() || addr.Zone() != "" {
		return ""
	}
	return addr.String()
}

func isPort(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || '9' < r })
}

// hasControl reports whether a Host holds what no client may send. net/http's
// own server refuses it, others may not.
func hasControl(host string) bool {
	return strings.ContainsFunc(host, func(r rune) bool { return r < ' ' || r == 0x7f })
}
