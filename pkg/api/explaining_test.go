package api

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/access"
)

// At an endpoint that serves others too, the answer to a tenant is the same whether
// another tenant lists the address or none.
func TestExplainTellsNothingOfNeighbours(t *testing.T) {
	w := newWorld(t, nil)
	const ask = "/explain?tenant=acme&endpoint=shop&address="
	for name, k := range map[string]access.Key{
		"admin": {Role: access.TenantAdmin, Tenant: "acme"},
		"user":  {Role: access.User, Tenant: "acme", User: "1"},
	} {
		k.Name = name
		secret, of := w.key(k), ""
		if k.User != "" {
			of = "&user=1&resource=dataAccess"
		}
		var theirs, nobodys Explanation
		w.do("GET "+ask+"198.51.100.7"+of, secret, "from 10.1.0.9").into(200, &theirs)
		w.do("GET "+ask+"198.51.101.7"+of, secret, "from 10.1.0.9").into(200, &nobodys)
		if theirs.Where != "kernel" || !theirs.Enforced {
			t.Errorf("%s is told %+v", name, theirs)
		}
		nobodys.Address = theirs.Address
		if diff := cmp.Diff(nobodys, theirs); diff != "" {
			t.Errorf("to %s: %s", name, diff)
		}
	}
	var staffs Explanation
	w.do("GET "+ask+"198.51.100.7").into(200, &staffs)
	if staffs.Where != nowhere || staffs.Enforced {
		t.Errorf("staff is told %+v", staffs)
	}
}

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
