package policy

import (
	"strings"
	"testing"
)

func TestCanonicalHost(t *testing.T) {
	label := strings.Repeat("x", 63)
	for in, want := range map[string]string{
		"a.example.com": "a.example.com", "A.Example.COM.": "a.example.com", "{x}.{The-Y}.com": "*.*.com", "*": "*",
		"_dmarc.example.com": "_dmarc.example.com", "[2001:DB8::1]": "2001:db8::1", "192.0.2.1": "192.0.2.1", label: label,
		"": "", ".": "", "....example.": "", "a..b": "", "-a.com": "", "a-.com": "", "a.com:443": "", "[2001:db8::1]:443": "",
		"fe80::1%eth0": "", "not a host/..": "", "bücher.example": "", "{}.com": "", "{a}b.com": "", "a*.com": "", "{a.b}": "", label + "x": "",
		strings.Repeat("x.", 127): strings.Repeat("x.", 126) + "x", strings.Repeat("x.", 126) + "xx": "",
	} {
		got, err := CanonicalHost(in)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("CanonicalHost(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

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
