package serve

import (
	"context"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Peer is who is at the other end of a connection, as the kernel says.
type Peer struct {
	Local bool           // over a unix socket
	UID   uint32         // of a local peer
	Addr  netip.AddrPort // of any other; IPv4 is IPv4, whatever the socket
	// Since is when the connection was accepted. Whoever must show that they can
	// still connect shows it by a connection that is younger than the change.
	Since time.Time
}

type peerKey struct{}

// PeerOf is the peer of the connection that a request's context belongs to. It is
// false where the kernel cannot name one.
func PeerOf(ctx context.Context) (Peer, bool) {
	p, ok := ctx.Value(peerKey{}).(Peer)
	return p, ok
}

// WithPeer is for what stands in for a connection.
func WithPeer(ctx context.Context, p Peer) context.Context {
	return context.WithValue(ctx, peerKey{}, p)
}

// note notes the peer of c.
func note(ctx context.Context, c net.Conn) context.Context {
	p := Peer{Since: time.Now()}
	switch c := beneath(c).(type) {
	case *net.UnixConn:
		cred, err := peerCred(c)
		if err != nil {
			return ctx
		}
		p.Local, p.UID = true, cred.Uid
	case *net.TCPConn:
		at := c.RemoteAddr().(*net.TCPAddr).AddrPort()
		p.Addr = netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
	default:
		return ctx
	}
	return WithPeer(ctx, p)
}

// beneath is the kernel's connection under TLS and our count.
func beneath(c net.Conn) net.Conn {
	for {
		outer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = outer.NetConn()
	}
}

func peerCred(c *net.UnixConn) (*unix.Ucred, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err != nil {
		return nil, err
	}
	return cred, credErr
}
