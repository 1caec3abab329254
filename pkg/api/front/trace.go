package front

import (
	"crypto/rand"
	"net/http"
	"regexp"
)

var traceText = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// trace names a request for its support case: as the declared proxy did that
// handed it on, else anew.
func trace(r *http.Request, vouched bool) string {
	if given := r.Header["X-Trace-Id"]; vouched && len(given) == 1 && traceText.MatchString(given[0]) {
		return given[0]
	}
	return rand.Text()
}
