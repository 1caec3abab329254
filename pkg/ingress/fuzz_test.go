package ingress

import (
	"testing"

	"github.com/postern-io/postern/pkg/addr"
)

// Whatever a manifest is, what is taken from it are addresses.
func FuzzRead(f *testing.F) {
	f.Add([]byte("kind: Ingress\nmetadata:\n  name: a\n  annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: \"10.0.0.0/8, ::1\"}\nspec: {rules: [{host: a}]}\n"))
	f.Add([]byte("{kind: List, items: [{kind: Ingress}, null]}\n---\n- &a [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rules, _ := Read("m.yaml", data)
		for _, r := range rules {
			for _, text := range append(r.Allow, r.Deny...) {
				if _, err := addr.Parse(text); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
