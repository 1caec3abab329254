package api

import (
	"encoding/json"
	"testing"

	"github.com/postern-io/postern/pkg/access"
)

// Which resources there are is not told to who may not ask.
func TestExplainAsksRightsFirst(t *testing.T) {
	w := newWorld(t, nil)
	secret := w.key(access.Key{Name: "acme", Role: access.TenantAdmin, Tenant: "acme"})
	for _, line := range []string{
		"GET /explain?address=10.1.0.9&tenant=globex&resource=x",
		"GET /explain?address=10.1.0.9&resource=x",
	} {
		p := w.do(line, secret, "from 10.1.0.9").problem(403)
		if said, _ := json.Marshal(p.Mistakes); p.Mistakes != nil {
			t.Errorf("%s: %s", line, said)
		}
	}
	w.do("GET /explain?address=10.1.0.9&tenant=acme&resource=x", secret, "from 10.1.0.9").problem(400)
	w.do("POST /explain", `{"address": "10.1.0.9", "tenant": "acme", "resource": "x", "proposal": {"documents": [{"tenant": "acme"}]}}`, secret, "from 10.1.0.9").problem(400)
}
