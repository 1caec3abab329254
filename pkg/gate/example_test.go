package gate_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/gate"
	"github.com/postern-io/postern/pkg/policy"
)

// A service that guards itself: the gate as middleware, without the agent.
func ExampleGate_Handler() {
	offices, _ := addr.Parse("203.0.113.0/24")
	state := &policy.State{
		Tenants: policy.MapOf(map[string]*policy.Tenant{"acme": {
			ID:    "acme",
			Lists: map[string]*policy.List{"*": {Entries: []policy.Entry{{Text: "203.0.113.0/24", Range: offices}}}},
		}}),
		Endpoints: []*policy.Endpoint{{
			Name:     "portal",
			Ports:    []policy.PortRange{{First: 8080, Last: 8080}},
			Tenants:  []string{"acme"},
			Resource: "*",
		}},
	}
	table, err := policy.Compile(state, policy.Host{}, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	g := gate.New(gate.Config{})
	g.Set(table)
	service := g.Handler("portal", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := gate.DecisionOf(r.Context())
		fmt.Fprintf(w, "Welcome, %s of %s", d.Client, d.Tenant)
	}))

	for _, peer := range []string{"203.0.113.7:40000", "198.51.100.7:40000"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 Welcome, 203.0.113.7 of acme
	// 403 IP not whitelisted. Found x-forwarded-for header: 198.51.100.7, orgId: acme
}
