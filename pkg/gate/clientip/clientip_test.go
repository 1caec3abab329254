package clientip

import (
	"net/netip"
	"strings"
	"testing"
)

// xff is a chain behind the proxies of 10.0.0.0/8 and 2001:db8:a::/48.
var xff = Config{
	Source:  XForwardedFor,
	Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:a::/48")},
}

func with(c Config, change func(*Config)) Config {
	change(&c)
	return c
}

func hops(n int) Config             { return with(xff, func(c *Config) { c.Hops = n }) }
func exhausted(e Exhausted) Config  { return with(xff, func(c *Config) { c.Exhausted = e }) }
func lines(l ...string) []string    { return l }
func repeat(s string, n int) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }

// A row's number is its name and is never given to another; its tens are the
// rule of the field notes that it holds.
var rows = []struct {
	name  string
	c     Config
	peer  string
	chain []string // X-Forwarded-For, line by line
	want  string   // the address; "" for nobody
	found Found
}{
	// One source, and the peer comes first.
	{"100-peer-source-ignores-header", Config{}, "198.51.100.1:999", lines("1.1.1.1"), "198.51.100.1", AsPeer},
	{"101-peer-source-ignores-a-proxys-header", with(xff, func(c *Config) { c.Source = Peer }), "10.0.0.1:1", lines("1.1.1.1"), "10.0.0.1", AsPeer},
	{"102-no-proxies-declared", Config{Source: XForwardedFor}, "198.51.100.1:1", lines("1.1.1.1"), "198.51.100.1", AsPeer},
	{"200-outsider-speaks-for-itself", xff, "198.51.100.1:1", lines("1.1.1.1"), "198.51.100.1", AsPeer},
	{"201-outsider-quotes-a-proxy", xff, "198.51.100.1:1", lines("1.1.1.1, 10.0.0.1"), "198.51.100.1", AsPeer},
	{"202-outsider-with-garbage", xff, "198.51.100.1:1", lines("garbage"), "198.51.100.1", AsPeer},
	{"203-outsider-without-header", xff, "198.51.100.1:1", nil, "198.51.100.1", AsPeer},
	{"204-outsider-next-to-the-proxies", xff, "11.0.0.0:1", lines("1.1.1.1"), "11.0.0.0", AsPeer},
	{"205-outsider-counted-hops", hops(1), "198.51.100.1:1", lines("1.1.1.1"), "198.51.100.1", AsPeer},
	{"206-outsider-where-the-chain-may-be-empty", exhausted(Outermost), "198.51.100.1:1", lines("1.1.1.1"), "198.51.100.1", AsPeer},

	// From the right, over all lines, to the first that is no proxy.
	{"300-one-address", xff, "10.0.0.1:1", lines("1.1.1.1"), "1.1.1.1", InChain},
	{"301-what-the-client-sent-stands-left", xff, "10.0.0.1:1", lines("6.6.6.6, 1.1.1.1"), "1.1.1.1", InChain},
	{"302-proxies-are-skipped", xff, "10.0.0.1:1", lines("6.6.6.6, 1.1.1.1, 10.0.0.3, 10.0.0.2"), "1.1.1.1", InChain},
	{"303-a-quoted-proxy-left-of-the-client", xff, "10.0.0.1:1", lines("10.0.0.9, 1.1.1.1, 10.0.0.2"), "1.1.1.1", InChain},
	{"304-lines-are-one-list", xff, "10.0.0.1:1", lines("6.6.6.6", "1.1.1.1", "10.0.0.2"), "1.1.1.1", InChain},
	{"305-the-last-line-decides", xff, "10.0.0.1:1", lines("6.6.6.6", "7.7.7.7, 1.1.1.1"), "1.1.1.1", InChain},
	{"306-empty-members", xff, "10.0.0.1:1", lines("1.1.1.1,, ,\t,10.0.0.2 ,"), "1.1.1.1", InChain},
	{"307-empty-lines", xff, "10.0.0.1:1", lines("1.1.1.1", "", " , "), "1.1.1.1", InChain},
	{"308-no-spaces", xff, "10.0.0.1:1", lines("6.6.6.6,1.1.1.1,10.0.0.2"), "1.1.1.1", InChain},
	{"309-tabs-and-spaces", xff, "10.0.0.1:1", lines("6.6.6.6 ,\t 1.1.1.1\t "), "1.1.1.1", InChain},
	{"310-garbage-at-the-right", xff, "10.0.0.1:1", lines("1.1.1.1, garbage"), "", Unreadable},
	{"311-garbage-behind-a-proxy", xff, "10.0.0.1:1", lines("1.1.1.1, garbage, 10.0.0.2"), "", Unreadable},
	{"312-garbage-left-of-the-client", xff, "10.0.0.1:1", lines("garbage, 1.1.1.1, 10.0.0.2"), "1.1.1.1", InChain},
	{"313-garbage-on-a-line-of-its-own", xff, "10.0.0.1:1", lines("1.1.1.1", "garbage"), "", Unreadable},
	{"314-garbage-is-not-exhausted", exhausted(ThePeer), "10.0.0.1:1", lines("garbage"), "", Unreadable},
	{"315-garbage-is-not-leftmost", exhausted(Outermost), "10.0.0.1:1", lines("garbage, 10.0.0.2"), "", Unreadable},
	{"316-spaces-are-no-commas", xff, "10.0.0.1:1", lines("6.6.6.6 1.1.1.1"), "", Unreadable},
	{"317-nor-are-semicolons", xff, "10.0.0.1:1", lines("6.6.6.6;1.1.1.1"), "", Unreadable},
	{"318-other-whitespace", xff, "10.0.0.1:1", lines("\v1.1.1.1"), "", Unreadable},
	{"319-unknown", xff, "10.0.0.1:1", lines("unknown"), "", Unreadable},
	{"320-client-in-ipv6", xff, "10.0.0.1:1", lines("2001:db8::1, 2001:db8:a::2"), "2001:db8::1", InChain},
	{"321-proxy-in-ipv6", xff, "[2001:db8:a::1]:1", lines("1.1.1.1"), "1.1.1.1", InChain},

	// The chain exhausted.
	{"400-no-header", xff, "10.0.0.1:1", nil, "", ChainEnds},
	{"401-empty-header", xff, "10.0.0.1:1", lines(""), "", ChainEnds},
	{"402-only-commas", xff, "10.0.0.1:1", lines(" , ,", ","), "", ChainEnds},
	{"403-only-proxies", xff, "10.0.0.1:1", lines("10.0.0.3, 10.0.0.2"), "", ChainEnds},
	{"404-peer-for-no-header", exhausted(ThePeer), "10.0.0.1:1", nil, "10.0.0.1", AsLastPeer},
	{"405-peer-for-only-proxies", exhausted(ThePeer), "10.0.0.1:1", lines("10.0.0.3, 10.0.0.2"), "10.0.0.1", AsLastPeer},
	{"406-leftmost-of-proxies", exhausted(Outermost), "10.0.0.1:1", lines("10.0.0.3, 10.0.0.2"), "10.0.0.3", AtLeftmost},
	{"407-leftmost-over-lines", exhausted(Outermost), "10.0.0.1:1", lines("10.0.0.4", "10.0.0.3, 10.0.0.2"), "10.0.0.4", AtLeftmost},
	{"408-leftmost-of-nothing", exhausted(Outermost), "10.0.0.1:1", nil, "", ChainEnds},
	{"409-leftmost-only-when-exhausted", exhausted(Outermost), "10.0.0.1:1", lines("6.6.6.6, 1.1.1.1, 10.0.0.2"), "1.1.1.1", InChain},

	// Counted hops.
	{"500-first", hops(1), "10.0.0.1:1", lines("6.6.6.6, 1.1.1.1"), "1.1.1.1", InChain},
	{"501-second", hops(2), "10.0.0.1:1", lines("6.6.6.6, 1.1.1.1, 203.0.113.7"), "1.1.1.1", InChain},
	{"502-over-lines", hops(2), "10.0.0.1:1", lines("1.1.1.1", "203.0.113.7"), "1.1.1.1", InChain},
	{"503-too-few", hops(2), "10.0.0.1:1", lines("1.1.1.1"), "", ChainEnds},
	{"504-none", hops(1), "10.0.0.1:1", nil, "", ChainEnds},
	{"505-too-few-is-nobody-whatever-exhausted-says", with(hops(2), func(c *Config) { c.Exhausted = ThePeer }), "10.0.0.1:1", lines("1.1.1.1"), "", ChainEnds},
	{"506-empty-members-do-not-count", hops(2), "10.0.0.1:1", lines("1.1.1.1, , 203.0.113.7,"), "1.1.1.1", InChain},
	{"507-garbage-on-the-way", hops(2), "10.0.0.1:1", lines("1.1.1.1, garbage"), "", Unreadable},
	{"508-a-proxy-at-the-place", hops(1), "10.0.0.1:1", lines("1.1.1.1, 10.0.0.2"), "10.0.0.2", InChain},

	// One canonical form.
	{"600-mapped-peer-is-ipv4", Config{}, "[::ffff:198.51.100.1]:1", nil, "198.51.100.1", AsPeer},
	{"601-mapped-peer-is-a-proxy", xff, "[::ffff:10.0.0.1]:1", lines("1.1.1.1"), "1.1.1.1", InChain},
	{"602-peers-zone-is-dropped", Config{}, "[fe80::1%eth0]:1", nil, "fe80::1", AsPeer},
	{"603-mapped-text-is-ipv6", xff, "10.0.0.1:1", lines("::ffff:1.1.1.1"), "::ffff:1.1.1.1", InChain},
	{"604-mapped-text-is-no-ipv4-proxy", xff, "10.0.0.1:1", lines("1.1.1.1, ::ffff:10.0.0.2"), "::ffff:10.0.0.2", InChain},
	{"605-unmap", with(xff, func(c *Config) { c.Unmap = true }), "10.0.0.1:1", lines("::ffff:1.1.1.1, ::ffff:a00:2"), "1.1.1.1", InChain},
	{"606-zone-in-header", xff, "10.0.0.1:1", lines("fe80::1%eth0"), "", Unreadable},
	{"607-zone-in-header-with-port", xff, "10.0.0.1:1", lines("[fe80::1%eth0]:80"), "", Unreadable},
	{"608-upper-case-and-zeros", xff, "10.0.0.1:1", lines("2001:0DB8:0:0:0:0:0:0001"), "2001:db8::1", InChain},
	{"609-no-peer", xff, "@", lines("1.1.1.1"), "", NoPeer},

	// Forms of a token.
	{"700-v4-port", xff, "10.0.0.1:1", lines("1.1.1.1:65535"), "1.1.1.1", InChain},
	{"701-v6-brackets", xff, "10.0.0.1:1", lines("[2001:db8::1]"), "2001:db8::1", InChain},
	{"702-v6-brackets-port", xff, "10.0.0.1:1", lines("[2001:db8::1]:0"), "2001:db8::1", InChain},
	{"703-longest", xff, "10.0.0.1:1", lines("[2001:0db8:ffff:ffff:ffff:ffff:255.255.255.255]:65535"), "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", InChain},
	{"704-port-too-large", xff, "10.0.0.1:1", lines("1.1.1.1:65536"), "", Unreadable},
	{"705-port-empty", xff, "10.0.0.1:1", lines("1.1.1.1:"), "", Unreadable},
	{"706-port-signed", xff, "10.0.0.1:1", lines("1.1.1.1:+80"), "", Unreadable},
	{"707-port-by-name", xff, "10.0.0.1:1", lines("1.1.1.1:http"), "", Unreadable},
	{"708-v4-in-brackets", xff, "10.0.0.1:1", lines("[1.1.1.1]"), "", Unreadable},
	{"709-v4-in-brackets-port", xff, "10.0.0.1:1", lines("[1.1.1.1]:80"), "", Unreadable},
	{"710-bracket-not-closed", xff, "10.0.0.1:1", lines("[2001:db8::1"), "", Unreadable},
	{"711-bracket-not-opened", xff, "10.0.0.1:1", lines("2001:db8::1]"), "", Unreadable},
	{"712-brackets-twice", xff, "10.0.0.1:1", lines("[[2001:db8::1]]"), "", Unreadable},
	{"713-after-the-bracket", xff, "10.0.0.1:1", lines("[2001:db8::1]80"), "", Unreadable},
	{"714-brackets-empty", xff, "10.0.0.1:1", lines("[]"), "", Unreadable},
	{"715-leading-zero", xff, "10.0.0.1:1", lines("010.0.0.1"), "", Unreadable},
	{"716-leading-zero-port", xff, "10.0.0.1:1", lines("1.1.1.01:80"), "", Unreadable},
	{"717-leading-zero-mapped", xff, "10.0.0.1:1", lines("::ffff:1.1.1.01"), "", Unreadable},
	{"718-octal-and-hex", xff, "10.0.0.1:1", lines("0x1.1.1.1"), "", Unreadable},
	{"719-one-number", xff, "10.0.0.1:1", lines("16843009"), "", Unreadable},
	{"720-three-octets", xff, "10.0.0.1:1", lines("1.1.1"), "", Unreadable},
	{"721-octet-too-large", xff, "10.0.0.1:1", lines("1.1.1.256"), "", Unreadable},
	{"722-prefix", xff, "10.0.0.1:1", lines("1.1.1.1/32"), "", Unreadable},
	{"723-range", xff, "10.0.0.1:1", lines("1.1.1.1-1.1.1.2"), "", Unreadable},
	{"724-unspecified-v4", xff, "10.0.0.1:1", lines("0.0.0.0"), "", Unreadable},
	{"725-unspecified-v6", xff, "10.0.0.1:1", lines("::"), "", Unreadable},
	{"726-unspecified-mapped", xff, "10.0.0.1:1", lines("::ffff:0.0.0.0"), "", Unreadable},
	{"727-quoted", xff, "10.0.0.1:1", lines(`"1.1.1.1"`), "", Unreadable},
	{"728-other-digits", xff, "10.0.0.1:1", lines("１.1.1.1"), "", Unreadable},
	{"729-nul", xff, "10.0.0.1:1", lines("1.1.1.1\x00"), "", Unreadable},
	{"730-forwarded-syntax", xff, "10.0.0.1:1", lines("for=1.1.1.1"), "", Unreadable},
	{"731-name", xff, "10.0.0.1:1", lines("localhost"), "", Unreadable},
	{"732-loopback-is-an-address", xff, "10.0.0.1:1", lines("127.0.0.1"), "127.0.0.1", InChain},
	{"733-thirty-two-looked-at", xff, "10.0.0.1:1", lines("1.1.1.1, " + repeat("10.0.0.2", 31)), "1.1.1.1", InChain},
	{"734-and-no-more", xff, "10.0.0.1:1", lines("1.1.1.1, " + repeat("10.0.0.2", 32)), "", TooLong},
	{"735-too-long-is-not-exhausted", exhausted(Outermost), "10.0.0.1:1", lines(repeat("10.0.0.2", 33)), "", TooLong},
	{"736-exactly-exhausted", exhausted(Outermost), "10.0.0.1:1", lines(repeat("10.0.0.2", 32)), "10.0.0.2", AtLeftmost},
	{"737-what-stands-left-is-not-looked-at", xff, "10.0.0.1:1", lines(repeat("x", 1000) + ", 1.1.1.1"), "1.1.1.1", InChain},
	{"738-port-in-many-digits", xff, "10.0.0.1:1", lines("1.1.1.1:" + strings.Repeat("0", 50) + "80"), "", Unreadable},
}

func TestResolve(t *testing.T) {
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			got := New(tt.c).Resolve(ParsePeer(tt.peer), map[string][]string{"X-Forwarded-For": tt.chain})
			addr := ""
			if got.Addr.IsValid() {
				addr = got.Addr.String()
			}
			if addr != tt.want || got.Found != tt.found {
				t.Errorf("%q from %s is %q (%s), want %q (%s)", tt.chain, tt.peer, addr, got.Found, tt.want, tt.found)
			}
		})
	}
}

func TestOneSourceOnly(t *testing.T) {
	other := map[string][]string{
		"Forwarded":       {"for=1.1.1.1"},
		"X-Real-Ip":       {"1.1.1.1"},
		"X_forwarded_for": {"1.1.1.1"},
		"x-forwarded-for": {"1.1.1.1"}, // not what net/http calls it
	}
	if got := New(xff).Resolve(netip.MustParseAddr("10.0.0.1"), other); got.Found != ChainEnds {
		t.Errorf("with only other headers: %v (%s), want nobody", got.Addr, got.Found)
	}
}

func TestVouched(t *testing.T) {
	for _, tt := range []struct {
		name, peer string
		c          Config
		want       bool
	}{
		{"proxy", "10.0.0.1:1", xff, true},
		{"proxy-of-a-peer-endpoint", "10.0.0.1:1", with(xff, func(c *Config) { c.Source = Peer }), true},
		{"outsider", "198.51.100.1:1", xff, false},
		{"no-peer", "", xff, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := New(tt.c).Resolve(ParsePeer(tt.peer), nil).Vouched; got != tt.want {
				t.Errorf("Vouched = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestResolveAllocatesNothing(t *testing.T) {
	r := New(xff)
	header := map[string][]string{"X-Forwarded-For": {"6.6.6.6, [2001:db8::1]:443, 10.0.0.3", "10.0.0.2:8080"}}
	n := testing.AllocsPerRun(100, func() {
		if got := r.Resolve(ParsePeer("10.0.0.1:40000"), header); got.Found != InChain {
			t.Fatalf("found %s", got.Found)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkResolve(b *testing.B) {
	header := map[string][]string{"X-Forwarded-For": {"6.6.6.6, 1.1.1.1, 10.0.0.2"}}
	for _, bb := range []struct {
		name string
		c    Config
	}{{"peer", Config{}}, {"xff", xff}} {
		b.Run(bb.name, func(b *testing.B) {
			r := New(bb.c)
			b.ReportAllocs()
			for b.Loop() {
				r.Resolve(ParsePeer("10.0.0.1:40000"), header)
			}
		})
	}
}
