package addr

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// Listener is where something listens: unix:///path, http://host:port or
// https://host:port.
type Listener struct {
	Scheme  string // unix, http or https
	Address string // the path, or host:port
}

func (l Listener) String() string { return l.Scheme + "://" + l.Address }

// ParseListener reads where to listen. Without TLS that is a loopback address:
// keys go over the wire. Its error is an *Error.
func ParseListener(text string) (Listener, error) {
	fault := func(cause, remedy string) (Listener, error) {
		return Listener{}, &Error{What: "listener " + show(text) + ": " + cause, Remedy: remedy}
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fault("not unix:///path, http://host:port or https://host:port", "")
	case u.Scheme == "unix":
		if u.Host != "" || !strings.HasPrefix(u.Path, "/") || u.Path != path.Clean(u.Path) || u.Path == "/" {
			return fault("not the path of a socket", "write it like unix:///run/postern/api.sock")
		}
		return Listener{u.Scheme, u.Path}, nil
	case u.Scheme != "http" && u.Scheme != "https":
		return fault("its scheme is not unix, http or https", "")
	case u.Path != "" && u.Path != "/":
		return fault("has a path", "write "+u.Scheme+"://"+u.Host)
	}
	if _, err := strconv.ParseUint(u.Port(), 10, 16); err != nil {
		return fault("has no port", "")
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return fault("not a loopback address, and keys would go over the wire in the clear", "write https://"+u.Host+", with tls")
	}
	return Listener{u.Scheme, net.JoinHostPort(u.Hostname(), u.Port())}, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
