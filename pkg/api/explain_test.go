package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

func TestExplain(t *testing.T) {
	at := func(line int) policy.Pos { return policy.Pos{File: "acme.yaml", Line: line} }
	tests := []struct {
		name string
		q    Question
		want Explanation
		err  string
	}{
		{
			name: "kernel-admits",
			q:    Question{Address: "203.0.113.5", Endpoint: "dedicated"},
			want: Explanation{
				Verdict: "allow", Enforced: true, Where: "kernel", Reason: "listed",
				Scope: "endpoint", List: "endpoints/dedicated", Entry: "203.0.113.0-203.0.113.99", At: at(7),
			},
		},
		{
			name: "kernel-drops-by-a-deny",
			q:    Question{Address: "203.0.113.9", Endpoint: "dedicated"},
			want: Explanation{
				Verdict: "deny", Enforced: true, Where: "kernel", Reason: "deny-entry",
				Scope: "tenant", List: "tenants/acme/*", Entry: "203.0.113.9", At: at(7), Tenant: "acme",
			},
		},
		{
			name: "kernel-drops-the-unlisted",
			q:    Question{Address: "203.0.113.200", Endpoint: "dedicated"},
			want: Explanation{
				Verdict: "deny", Enforced: true, Where: "kernel", Reason: "not-listed",
				Scope: "endpoint", List: "endpoints/dedicated", At: at(3),
			},
		},
		{
			name: "behind-a-proxy-the-gate-settles",
			q:    Question{Address: "198.51.100.1", Endpoint: "portal", Tenant: "acme"},
			want: Explanation{
				Verdict: "deny", Enforced: true, Where: "gate", Reason: "not-listed",
				Scope: "tenant", List: "tenants/acme/*", At: at(3), Tenant: "acme",
			},
		},
		{
			name: "a-user-list",
			q:    Question{Address: "203.0.113.2", Endpoint: "portal", Tenant: "acme", User: "1"},
			want: Explanation{
				Verdict: "deny", Enforced: true, Where: "gate", Reason: "not-listed",
				Scope: "user", List: "tenants/acme/users/1/webUI", At: at(3), Tenant: "acme", User: "1",
			},
		},
		{
			name: "a-neighbour-admits-the-packet-and-there-is-no-gate",
			q:    Question{Address: "198.51.100.1", Endpoint: "shared", Tenant: "acme"},
			want: Explanation{
				Verdict: "deny", Where: "nowhere", Reason: "not-listed",
				Scope: "tenant", List: "tenants/acme/*", At: at(3), Tenant: "acme",
			},
		},
		{
			name: "monitored",
			q:    Question{Address: "198.51.100.1", Endpoint: "trial"},
			want: Explanation{
				Verdict: "deny", Where: "kernel", Reason: "not-listed",
				Scope: "tenant", List: "tenants/acme/*", At: at(3), Tenant: "acme",
			},
		},
		{
			name: "lists-alone",
			q:    Question{Address: "10.1.2.3", Resource: "managementAPI"},
			want: Explanation{
				Verdict: "allow", Enforced: true, Reason: "listed",
				Scope: "system", List: "system/managementAPI", Entry: "10.0.0.0/8", At: at(7), Resource: "managementAPI",
			},
		},
		{
			name: "unknown-tenant",
			q:    Question{Address: "10.1.2.3", Endpoint: "portal", Tenant: "nobody"},
			want: Explanation{
				Verdict: "deny", Enforced: true, Where: "gate", Reason: "unknown-tenant", Scope: "tenant", Tenant: "nobody",
			},
		},
		{
			name: "no-such-endpoint",
			q:    Question{Address: "10.1.2.3", Endpoint: "nothing"},
			err:  `endpoint "nothing": there is none of that name`,
		},
		{
			name: "a-prefix-is-no-address",
			q:    Question{Address: "10.0.0.0/8"},
			err:  `address "10.0.0.0/8": want one IPv4 or IPv6 address`,
		},
		{
			name: "a-zone-is-no-part-of-an-address",
			q:    Question{Address: "fe80::1%eth0"},
			err:  `address "fe80::1%eth0": want one IPv4 or IPv6 address`,
		},
		{
			name: "a-user-of-nobody",
			q:    Question{Address: "10.1.2.3", User: "1"},
			err:  `user "1": want the tenant the user belongs to`,
		},
	}
	tab := table(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Explain(tab, tt.q)
			if msg := message(err); msg != tt.err {
				t.Fatalf("error = %q, want %q", msg, tt.err)
			}
			if err != nil {
				return
			}
			tt.want.Address, tt.want.Endpoint = tt.q.Address, tt.q.Endpoint
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
