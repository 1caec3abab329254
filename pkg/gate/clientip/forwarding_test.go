package clientip

import "testing"

func TestIsForwarding(t *testing.T) {
	for name, want := range map[string]bool{
		"Forwarded": true, "X-Forwarded-For": true, "X-Forwarded-Host": true, "X-Forwarded-Proto": true,
		"X-Forwarded-Anything": true, "X-Forwarded": true, "X-Real-Ip": true, "x-forwarded-for": true,
		"X_forwarded_for": true, "X.forwarded.for": true, "X-Forwarded_for": true, "X_real_ip": true, "X~Real!Ip": true, "X-Client-Ip": true, "x_client_ip": true,
		"": false, "For": false, "X-Forward": false, "X-Forwardedfor": false, "Xforwardedfor": false, "X-Real-Ipx": false, "Host": false,
		"Via": false, // whose loops the upstream has to see
	} {
		if got := IsForwarding(name); got != want {
			t.Errorf("IsForwarding(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestForwarded(t *testing.T) {
	if Forwarded(map[string][]string{"Accept": {"*/*"}, "Cookie": {"a=b"}}) {
		t.Error("Forwarded reports a header where there is none")
	}
	for _, name := range []string{"X_real_ip", "X-Client-Ip", "Via", "via"} {
		if !Forwarded(map[string][]string{"Accept": {"*/*"}, name: {""}}) {
			t.Errorf("Forwarded misses %s", name)
		}
	}
}
