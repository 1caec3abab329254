package front

import (
	"net/http"

	"github.com/postern-io/postern/pkg/access"
)

// Login admits the caller whose credentials stand in the body of a request that
// was let through without any, as if it had shown them in a header; its call is
// the caller's from then on. Of a refusal the journal knows already: all there is
// to do is to answer with it.
func Login(h http.Header, r *http.Request, shown access.Credentials) *Refusal {
	p := passageOf(r.Context())
	if no := p.front.login(h, p.visit, shown); no != nil {
		return p.front.turnedAway(r, p.visit, no)
	}
	return nil
}

func (f *front) login(h http.Header, v *visit, shown access.Credentials) *refused {
	if no := f.prove(v, shown); no != nil {
		return no
	}
	return f.admitCaller(h, v)
}
