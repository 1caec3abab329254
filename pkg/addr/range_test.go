package addr

import (
	"bufio"
	"compress/gzip"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gaissmai/bart"
	"github.com/google/go-cmp/cmp"
	"go4.org/netipx"
)

func parseAll(t testing.TB, texts ...string) []Range {
	t.Helper()
	ranges := make([]Range, len(texts))
	for i, s := range texts {
		r, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		ranges[i] = r
	}
	return ranges
}

func TestPrefixes(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"seed-port", "1.1.1.0-1.1.2.250", "1.1.1.0/24 1.1.2.0/25 1.1.2.128/26 1.1.2.192/27 1.1.2.224/28 1.1.2.240/29 1.1.2.248/31 1.1.2.250/32"},
		{"seed-hdp-system", "10.20.30.0-10.20.30.10", "10.20.30.0/29 10.20.30.8/31 10.20.30.10/32"},
		{"seed-hdp-admin", "10.20.30.0-10.20.40.20", "10.20.30.0/23 10.20.32.0/21 10.20.40.0/28 10.20.40.16/30 10.20.40.20/32"},
		{"seed-hdp-data", "10.20.30.0-10.20.50.20", "10.20.30.0/23 10.20.32.0/20 10.20.48.0/23 10.20.50.0/28 10.20.50.16/30 10.20.50.20/32"},
		{"seed-hdp-tenant", "10.20.30.0-10.20.30.5", "10.20.30.0/30 10.20.30.4/31"},
		{"seed-loopback", "127.0.0.1/24", "127.0.0.0/24"},
		{"seed-trustx", "192.176.1.1/24", "192.176.1.0/24"},
		{"v6", "2001:db8::1-2001:db8::ff", "2001:db8::1/128 2001:db8::2/127 2001:db8::4/126 2001:db8::8/125 2001:db8::10/124 2001:db8::20/123 2001:db8::40/122 2001:db8::80/121"},
		{"mapped", "::ffff:10.0.0.0-::ffff:10.0.0.2", "::ffff:10.0.0.0/127 ::ffff:10.0.0.2/128"},
		{"all-v4", "0.0.0.0-255.255.255.255", "0.0.0.0/0"},
		{"all-v6", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range Prefixes(parseAll(t, tt.in)...) {
				got = append(got, p.String())
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("Prefixes(%s) = %s\nwant %s", tt.in, s, tt.want)
			}
		})
	}
}

func TestPrefixesWorstCase(t *testing.T) {
	tests := []struct {
		name, in string
		want     int
	}{
		{"v4", "0.0.0.1-255.255.255.254", 62},
		{"v6", "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 254},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := len(Prefixes(parseAll(t, tt.in)...)); got != tt.want {
				t.Errorf("%s: %d prefixes, want %d", tt.in, got, tt.want)
			}
		})
	}
}

func TestAggregate(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"none", "", ""},
		{"apart", "10.0.0.9 10.0.0.7", "10.0.0.7 10.0.0.9"},
		{"adjacent", "10.0.0.8 10.0.0.7", "10.0.0.7-10.0.0.8"},
		{"adjacent-to-prefix", "10.0.1.0/24 10.0.0.0/24", "10.0.0.0/23"},
		{"overlapping", "10.0.0.5-10.0.0.9 10.0.0.1-10.0.0.6", "10.0.0.1-10.0.0.9"},
		{"inside", "10.0.0.7 10.0.0.0/8 10.9.9.9", "10.0.0.0/8"},
		{"twice", "10.0.0.7 10.0.0.7", "10.0.0.7"},
		{"families-apart", "::/0 255.255.255.255 0.0.0.0", "0.0.0.0 255.255.255.255 ::/0"},
		{"mapped-is-v6", "10.0.0.1 ::ffff:10.0.0.2", "10.0.0.1 ::ffff:10.0.0.2"},
		{"end-of-v4", "255.255.255.255 255.255.255.254", "255.255.255.254/31"},
		{"end-of-v6", "ffff::/16 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff::/16"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := parseAll(t, strings.Fields(tt.in)...)
			before := slices.Clone(in)
			var got []string
			for _, r := range Aggregate(in) {
				got = append(got, String(r))
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("Aggregate(%s) = %s, want %s", tt.in, s, tt.want)
			}
			if !slices.Equal(before, in) {
				t.Errorf("Aggregate changed its argument from %v to %v", before, in)
			}
		})
	}
}

func TestUnmap(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"single", "::ffff:10.0.0.1", "10.0.0.1"},
		{"prefix", "::ffff:1.2.3.4/120", "1.2.3.0/24"},
		{"all", "::ffff:0:0/96", "0.0.0.0/0"},
		{"wider-than-mapped", "::ffff:1.2.3.4/95", "::fffe:0:0/95"},
		{"half-mapped", "::ffff:255.255.255.255-::1:0:0:0", "::ffff:255.255.255.255-::1:0:0:0"},
		{"v6", "2001:db8::/32", "2001:db8::/32"},
		{"v4", "10.0.0.0/8", "10.0.0.0/8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := String(Unmap(parseAll(t, tt.in)[0])); got != tt.want {
				t.Errorf("Unmap(%s) = %s, want %s", tt.in, got, tt.want)
			}
		})
	}
}

// routes is the BGP table that comes with bart.
func routes(t testing.TB) (v4, v6 []Range) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gaissmai/bart").Output()
	if err != nil {
		t.Fatalf("find bart's test data: %v", err)
	}
	file, err := os.Open(filepath.Join(strings.TrimSpace(string(dir)), "internal/tests/testdata/prefixes.txt.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	for lines.Scan() {
		r, err := Parse(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		if r.From().Is4() {
			v4 = append(v4, r)
		} else {
			v6 = append(v6, r)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return v4, v6
}

// Four other tools agree on these counts.
func TestPrefixesOfTheInternet(t *testing.T) {
	v4, v6 := routes(t)
	for _, tt := range []struct {
		name         string
		routes       []Range
		count, fewer int
	}{
		{"v4", v4, 901_899, 155_298},
		{"v6", v6, 160_147, 46_811},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ps := Prefixes(tt.routes...)
			if len(tt.routes) != tt.count || len(ps) != tt.fewer {
				t.Fatalf("%d routes make %d prefixes, want %d and %d", len(tt.routes), len(ps), tt.count, tt.fewer)
			}
			sameAddresses(t, tt.routes, ps)
		})
	}
}

// sameAddresses compares membership by bart, at the edges of the routes, where
// an error of one would show.
func sameAddresses(t *testing.T, routes []Range, ps []netip.Prefix) {
	t.Helper()
	var before, after bart.Lite
	for _, r := range routes {
		p, _ := r.Prefix()
		before.Insert(p)
	}
	for _, p := range ps {
		after.Insert(p)
	}
	for _, r := range routes {
		for _, ip := range []netip.Addr{r.From(), r.To(), r.From().Prev(), r.To().Next()} {
			if ip.IsValid() && before.Contains(ip) != after.Contains(ip) {
				t.Fatalf("%s is %t in the routes and %t in their prefixes", ip, before.Contains(ip), after.Contains(ip))
			}
		}
	}
}

// Aggregate against netipx's set, on ranges dense enough to touch.
func TestAggregateAgainstSet(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		var ranges []Range
		var set netipx.IPSetBuilder
		for range rnd.IntN(12) {
			from := netip.AddrFrom4([4]byte{255, 255, 255, byte(rnd.IntN(256))})
			to := netip.AddrFrom4([4]byte{255, 255, 255, byte(rnd.IntN(256))})
			if rnd.IntN(2) == 0 {
				from, to = netip.AddrFrom16(from.As16()), netip.AddrFrom16(to.As16())
			}
			if to.Less(from) {
				from, to = to, from
			}
			r := netipx.IPRangeFrom(from, to)
			ranges = append(ranges, r)
			set.AddRange(r)
		}
		want, err := set.IPSet()
		if err != nil {
			t.Fatal(err)
		}
		got := Aggregate(ranges)
		if diff := cmp.Diff(strs(want.Ranges()), strs(got)); diff != "" {
			t.Fatalf("seed %d: Aggregate(%v):\n%s", seed, ranges, diff)
		}
	}
}

func strs(ranges []Range) []string {
	out := make([]string, len(ranges))
	for i, r := range ranges {
		out[i] = String(r)
	}
	return out
}

func BenchmarkPrefixes(b *testing.B) {
	v4, _ := routes(b)
	b.ResetTimer()
	for range b.N {
		Prefixes(v4...)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{"192.0.2.7", "192.0.2.0/24", "1.1.1.0-1.1.2.250", "2001:db8::/32"} {
		b.Run(strings.NewReplacer("/", "_").Replace(text), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
