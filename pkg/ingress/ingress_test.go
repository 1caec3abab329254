package ingress

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

func TestRead(t *testing.T) {
	tests := []struct {
		name, in string
		want     []Rule
		problems string
	}{
		{
			name: "old-name",
			in: `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: prod
  annotations:
    nginx.ingress.kubernetes.io/whitelist-source-range: "10.0.0.0/8, 192.0.2.7,"
spec:
  rules:
    - {host: shop.example.com, http: {paths: []}}
    - {host: shop.example.com}
    - {host: "*.example.net"}
`,
			want: []Rule{{
				Pos: at(5), Name: "prod/shop", Hosts: []string{"shop.example.com", "*.example.net"},
				Allow: []string{"10.0.0.0/8", "192.0.2.7"},
			}},
		},
		{
			name: "new-name-and-deny",
			in: `
kind: Ingress
metadata:
  name: a
  annotations: {nginx.ingress.kubernetes.io/allowlist-source-range: "2001:db8::/32", nginx.ingress.kubernetes.io/denylist-source-range: 192.0.2.9}
`,
			want: []Rule{{Pos: at(4), Name: "a", Allow: []string{"2001:db8::/32"}, Deny: []string{"192.0.2.9"}}},
		},
		{
			name: "documents-lists-and-other-kinds",
			in:   "kind: Service\nmetadata: {name: s}\n---\nkind: [odd]\n---\n{kind: List, items: [{kind: Ingress, metadata: {name: a}}]}\n---\n",
			want: []Rule{{Pos: at(6), Name: "a"}},
		},
		{
			name:     "bad-range",
			in:       "kind: Ingress\nmetadata:\n  name: a\n  annotations:\n    nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8,10.0.0.300\n",
			problems: "m.yaml:5: address 10.0.0.300: 300 is more than 255",
		},
		{
			name: "both-names",
			in: "kind: Ingress\nmetadata:\n  name: a\n  annotations:\n    nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.1\n" +
				"    nginx.ingress.kubernetes.io/allowlist-source-range: 10.0.0.2\n",
			problems: "m.yaml:5: whitelist-source-range and allowlist-source-range say different things; keep one of them",
		},
		{
			name:     "odd-ingress",
			in:       "kind: Ingress\nspec: {rules: none}\n",
			problems: "m.yaml: yaml: unmarshal errors:\n  line 2: cannot unmarshal !!str `none` into []ingress.hostRule",
		},
		{
			name:     "no-yaml",
			in:       "kind: Ingress\n\tmetadata: {}\n",
			problems: "m.yaml: yaml: line 2: found a tab character that violates indentation",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := Read("m.yaml", []byte(tt.in))
			if diff := cmp.Diff(tt.problems, problems.Error()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func at(line int) policy.Pos { return policy.Pos{File: "m.yaml", Line: line} }
