package api

import (
	"context"
	"net"
	"net/http"
	"os"

	"golang.org/x/sys/unix"
)

// role is what a caller may do.
type role int

const (
	stranger role = iota
	reader
	admin
)

type roleKey struct{}

// withPeer notes who is at the other end of a connection, as the kernel says.
// A connection whose peer the kernel cannot name is a stranger's.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	uc, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	cred, err := peerCred(uc)
	if err != nil {
		return ctx
	}
	return context.WithValue(ctx, roleKey{}, roleOf(cred.Uid))
}

// roleOf is the role of a local user. Being able to open the socket is what
// makes somebody a reader: its mode and group say who can.
func roleOf(uid uint32) role {
	if uid == 0 || uid == uint32(os.Geteuid()) {
		return admin
	}
	return reader
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

// only lets next answer callers of at least that role.
func only(least role, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if have, _ := r.Context().Value(roleKey{}).(role); have < least {
			problem(http.StatusForbidden, "%s %s: this caller may not", r.Method, r.URL.Path).write(w)
			return
		}
		next(w, r)
	}
}
