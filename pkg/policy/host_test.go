package policy

import "testing"

// TestNoHostIsNobodys holds names with an empty label away from patterns.
func TestNoHostIsNobodys(t *testing.T) {
	h := newHostNames(MapOf(map[string]*Tenant{"acme": {Hosts: []string{"*", "*.example.com", "acme.test"}}}))
	for host, want := range map[string]string{
		"": "", ".example.com": "", "a..example.com": "", "acme.test": "acme", "any": "acme", "a.example.com": "acme", "a.b": "",
	} {
		if got, ok := h.find(host); got != want || ok != (want != "") {
			t.Errorf("find(%q) = %q, %v; want %q", host, got, ok, want)
		}
	}
}
