package gate

import "testing"

func TestCanonicalHost(t *testing.T) {
	for in, want := range map[string]string{
		"acme.example.com":           "acme.example.com",
		"ACME.example.com":           "acme.example.com",
		"acme.example.com:8443":      "acme.example.com",
		"acme.example.com:":          "acme.example.com",
		"acme.example.com.":          "acme.example.com",
		"acme.example.com.:80":       "acme.example.com",
		"acme.example.com..":         "acme.example.com.",
		"acme.example.com:http":      "",
		"acme.example.com:80:80":     "",
		"b\u00fccher.example":        "",
		"\u212aelvin.example":        "", // lower-cased it would be "kelvin"
		"203.0.113.10:80":            "203.0.113.10",
		"[2001:DB8::0001]":           "2001:db8::1",
		"[2001:db8::1]:443":          "2001:db8::1",
		"[2001:db8::1":               "",
		"[2001:db8::1]443":           "",
		"[2001:db8::1]:x":            "",
		"[fe80::1%eth0]":             "",
		"[203.0.113.10]":             "",
		"[acme.example.com]":         "",
		"2001:db8::1":                "",
		"":                           "",
		":80":                        "",
		"acme.example.com/../globex": "acme.example.com/../globex",
	} {
		if got := canonicalHost(in); got != want {
			t.Errorf("canonicalHost(%q) = %q, want %q", in, got, want)
		}
	}
}
