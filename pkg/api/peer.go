package api

import (
	"net/http"
	"os"

	"github.com/postern-io/postern/pkg/api/serve"
)

// role is what a caller may do.
type role int

const (
	stranger role = iota
	reader
	admin
)

// callerRole is the role of whoever r came from. A connection whose peer the
// kernel cannot name is a stranger's, as is any but a local one.
func callerRole(r *http.Request) role {
	p, ok := serve.PeerOf(r.Context())
	if !ok || !p.Local {
		return stranger
	}
	return roleOf(p.UID)
}

// roleOf is the role of a local user. Being able to open the socket is what
// makes somebody a reader: its mode and group say who can.
func roleOf(uid uint32) role {
	if uid == 0 || uid == uint32(os.Geteuid()) {
		return admin
	}
	return reader
}

// only lets next answer callers of at least that role.
func only(least role, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if callerRole(r) < least {
			writeProblem(w, unanswerable(http.StatusForbidden, "%s %s: this caller may not", r.Method, r.URL.Path))
			return
		}
		next(w, r)
	}
}
