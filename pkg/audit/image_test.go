package audit

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

func TestImages(t *testing.T) {
	at := policy.Place{Scope: policy.ScopeTenant, Tenant: "acme", Resource: "*"}
	soon := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	on, off := false, true
	lists := func(l *policy.List) policy.Image { return policy.Image{Lists: map[policy.Place]*policy.List{at: l}} }
	list := func(entries ...policy.Entry) *policy.List { return &policy.List{Entries: entries} }
	one, two := policy.Entry{Text: "10.0.0.1"}, policy.Entry{Text: "10.0.0.2", Comment: "Paris"}
	tests := []struct {
		name          string
		before, after policy.Image
		was, is       string
	}{
		{name: "nothing"},
		{
			name: "list-made", before: lists(nil), after: lists(list(one)),
			was: `{"tenants/acme/*":null}`, is: `{"tenants/acme/*":{"state":"on","entries":[{"address":"10.0.0.1"}]}}`,
		},
		{
			name: "entry-added", before: lists(list(one)), after: lists(list(one, two)),
			was: `{"tenants/acme/*":{"state":"on","entries":[],"same":1}}`,
			is:  `{"tenants/acme/*":{"state":"on","entries":[{"address":"10.0.0.2","comment":"Paris"}],"same":1}}`,
		},
		{
			name: "one-of-two-alike-removed", before: lists(list(one, one)), after: lists(list(one)),
			was: `{"tenants/acme/*":{"state":"on","entries":[{"address":"10.0.0.1"}],"same":1}}`,
			is:  `{"tenants/acme/*":{"state":"on","entries":[],"same":1}}`,
		},
		{
			name: "entry-changed", before: lists(list(one)),
			after: lists(list(policy.Entry{Text: "10.0.0.1", Action: policy.Deny, Disabled: true, Expires: soon.In(time.FixedZone("", 3600))})),
			was:   `{"tenants/acme/*":{"state":"on","entries":[{"address":"10.0.0.1"}]}}`,
			is:    `{"tenants/acme/*":{"state":"on","entries":[{"address":"10.0.0.1","action":"deny","disabled":true,"expires":"2027-01-31T00:00:00Z"}]}}`,
		},
		{
			name:   "no-hash-of-a-password",
			before: policy.Image{Endpoints: map[string]*policy.Endpoint{"p": nil}},
			after: policy.Image{Endpoints: map[string]*policy.Endpoint{"p": {
				Ports: []policy.PortRange{{First: 80, Last: 80}}, Security: &policy.Security{Credentials: []policy.Credential{{Username: "joe", Hash: "secret"}}, Headers: []policy.HeaderRule{{Name: "X-Key", Value: "secret"}}},
			}}},
			was: `{"endpoints/p":null}`, is: `{"endpoints/p":{"ports":["80"],"verificationMode":"and","credentials":["joe"],"headers":["X-Key"]}}`,
		},
		{
			name: "switch", before: policy.Image{Filtering: &on}, after: policy.Image{Filtering: &off},
			was: `{"filtering":"on"}`, is: `{"filtering":"off"}`,
		},
		{
			name:   "record",
			before: policy.Image{Tenants: map[string]*policy.TenantRecord{"acme": nil}},
			after:  policy.Image{Tenants: map[string]*policy.TenantRecord{"acme": {Hosts: []string{"a.example.com"}}}},
			was:    `{"tenants/acme":null}`, is: `{"tenants/acme":{"hosts":["a.example.com"]}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			was, is, err := Images(tt.before, tt.after)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tt.was, tt.is}, []string{string(was), string(is)}); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(string(is), "secret") {
				t.Error("a hash is in the journal")
			}
		})
	}
}

func TestTenantsOf(t *testing.T) {
	got := TenantsOf([]string{"endpoints/p", "system/*", "tenants/b", "tenants/a/*", "tenants/a/users/1/*"})
	if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" {
		t.Error(diff)
	}
}
