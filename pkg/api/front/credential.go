package front

import (
	"net/http"
	"strings"

	"github.com/postern-io/postern/pkg/access"
)

// credentials are what a request shows; zero where it shows none. One that shows
// two is refused: which of them counts would be a guess, and a proxy on the way
// may have made it otherwise.
func credentials(r *http.Request) (c access.Credentials, err error) {
	authorization, apiKey := r.Header["Authorization"], r.Header["X-Api-Key"]
	switch shown := len(authorization) + len(apiKey); {
	case shown == 0:
		return c, nil
	case shown > 1:
		return c, &access.Refused{Why: access.ErrMalformed}
	case len(apiKey) == 1:
		c.Secret = apiKey[0]
	default:
		c = authorized(r, authorization[0])
	}
	if c == (access.Credentials{}) {
		return c, &access.Refused{Why: access.ErrMalformed}
	}
	return c, nil
}

func authorized(r *http.Request, authorization string) (c access.Credentials) {
	if name, secret, ok := r.BasicAuth(); ok {
		c.Name, c.Secret = name, secret
		return c
	}
	if scheme, text, _ := strings.Cut(authorization, " "); strings.EqualFold(scheme, "Bearer") {
		c.Bearer = strings.TrimSpace(text)
	}
	return c
}
