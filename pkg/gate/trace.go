package gate

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// trace names a request for its support case: by the name that a declared proxy
// gave it, else by a new one.
func trace(r *http.Request, vouched bool) string {
	if given := r.Header["X-Trace-Id"]; vouched && len(given) == 1 && isTrace(given[0]) {
		return given[0]
	}
	return rand.Text()
}

func isTrace(s string) bool {
	const most = 64
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || '9' < r) && (r < 'A' || 'Z' < r) && (r < 'a' || 'z' < r)
	})
}
