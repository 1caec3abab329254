package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postern-io/postern/pkg/access"
)

// Of a tenant, or a user, that is not the caller's a proposal tells nothing, not
// even whether there is one: all but its name is the same.
func TestProposalTellsNoExistence(t *testing.T) {
	tenant := [2]string{"globex", "nobody"}
	user := [2]string{"1", "8"}
	tests := []struct {
		name string
		key  access.Key
		of   [2]string // one that there is, and one that there is not
		body string
	}{
		{"tenant", access.Key{Role: access.TenantAdmin, Tenant: "acme"}, tenant, `{"documents": [{"tenant": "%s"}]}`},
		{"tenant-with-lists", access.Key{Role: access.TenantAdmin, Tenant: "acme"}, tenant, `{"documents": [{"tenant": "%s", "lists": {"*": ["10.1.0.1"]}}]}`},
		{"tenant-with-a-name", access.Key{Role: access.TenantAdmin, Tenant: "acme"}, tenant, `{"documents": [{"tenant": "%s", "name": "x"}]}`},
		{"tenant-with-a-user", access.Key{Role: access.TenantAdmin, Tenant: "acme"}, tenant, `{"documents": [{"tenant": "%s", "users": {"1": {}}}]}`},
		{"tenant-to-a-reader", access.Key{Role: access.Reader, Tenant: "acme"}, tenant, `{"documents": [{"tenant": "%s"}]}`},
		{"tenant-to-a-user", access.Key{Role: access.User, Tenant: "acme", User: "9"}, tenant, `{"documents": [{"tenant": "%s"}]}`},
		{"own-tenant-s-user", access.Key{Role: access.User, Tenant: "acme", User: "9"}, user, `{"documents": [{"tenant": "acme", "users": {"%s": {}}}]}`},
		{"own-tenant-s-user-with-lists", access.Key{Role: access.User, Tenant: "acme", User: "9"}, user, `{"documents": [{"tenant": "acme", "users": {"%s": {"dataAccess": []}}}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			tt.key.Name = tt.name
			secret := w.key(tt.key)
			for _, verb := range []string{"POST /plan", "POST /apply"} {
				var told [2]string
				for i, name := range tt.of {
					p := w.do(verb, fmt.Sprintf(tt.body, name), secret, "from 10.1.0.9").problem(403)
					told[i] = strings.ReplaceAll(fmt.Sprint(p.Detail, p.Lists), "/"+name, "/X")
				}
				if told[0] != told[1] {
					t.Errorf("%s is told of one that there is\n%s\nand of one that there is not\n%s", verb, told[0], told[1])
				}
			}
		})
	}
}
