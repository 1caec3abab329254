package clientip

import (
	"net/netip"
	"testing"
)

func TestPrefixes(t *testing.T) {
	ps := newPrefixes([]netip.Prefix{
		netip.MustParsePrefix("10.2.0.0/16"),
		netip.MustParsePrefix("10.1.2.3/16"), // host bits
		netip.MustParsePrefix("172.20.1.1/12"),
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("192.0.2.7/32"),
		netip.MustParsePrefix("2001:db8::/32"),
	})
	if len(ps) != 4 {
		t.Errorf("kept %v, want the four that no other holds", ps)
	}
	for in, want := range map[string]bool{
		"9.255.255.255": false, "10.0.0.0": true, "10.3.0.0": true, "10.255.255.255": true, "11.0.0.0": false,
		"172.15.255.255": false, "172.16.0.0": true, "172.31.255.255": true, "172.32.0.0": false,
		"192.0.2.6": false, "192.0.2.7": true, "192.0.2.8": false,
		"2001:db7:ffff::": false, "2001:db8::": true, "2001:db8:ffff::1": true, "2001:db9::": false,
		"::ffff:10.0.0.1": false, "0.0.0.0": false, "255.255.255.255": false, "::": false,
	} {
		if got := ps.contain(netip.MustParseAddr(in)); got != want {
			t.Errorf("contain(%s) = %v, want %v", in, got, want)
		}
	}
}
