package serve

import (
	"crypto/tls"
	"fmt"
	"net"

	"github.com/postern-io/postern/pkg/addr"
)

// Config is how to listen.
type Config struct {
	Group       string      // of unix sockets, a name or a number; "": the agent's own
	TLS         *tls.Config // for https
	Connections int         // that may be open at a time, for each listener; 0: 1,024
}

const defaultConnections = 1024

// Listen opens a listener at address, as addr.ParseListener reads it.
func Listen(address string, cfg Config) (net.Listener, error) {
	at, err := addr.ParseListener(address)
	if err != nil {
		return nil, err
	}
	l, err := open(at, cfg)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	most := cfg.Connections
	if most == 0 {
		most = defaultConnections
	}
	l = limit(l, most)
	if at.Scheme == "https" {
		l = tls.NewListener(l, cfg.TLS)
	}
	return l, nil
}

func open(at addr.Listener, cfg Config) (net.Listener, error) {
	switch {
	case at.Scheme == "unix":
		return listenUnix(at.Address, cfg.Group)
	case at.Scheme == "https" && cfg.TLS == nil:
		return nil, fmt.Errorf("there is no certificate for it; name one under api.tls")
	}
	return net.Listen("tcp", at.Address)
}
