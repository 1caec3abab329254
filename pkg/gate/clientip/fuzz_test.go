package clientip

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A token by its grammar alone, so that the fuzzer has a second opinion that
// shares no code with parseToken.
var grammar = regexp.MustCompile(`^(?:([0-9.]+)(?::([0-9]{1,50}))?|([0-9a-fA-F:.]*:[0-9a-fA-F:.]*)|\[([0-9a-fA-F:.]*:[0-9a-fA-F:.]*)\](?::([0-9]{1,50}))?)$`)

func FuzzResolve(f *testing.F) {
	for _, tt := range rows {
		f.Add(tt.peer, strings.Join(tt.chain, "\n"), uint8(tt.c.Hops), uint8(tt.c.Exhausted), tt.c.Unmap)
	}
	f.Fuzz(func(t *testing.T, remote, joined string, hops, exhausted uint8, unmap bool) {
		c := xff
		c.Hops, c.Exhausted, c.Unmap = int(hops%40), Exhausted(exhausted%3), unmap
		peer, chain := ParsePeer(remote), strings.Split(joined, "\n")
		before := slices.Clone(chain)
		got := New(c).Resolve(peer, map[string][]string{"X-Forwarded-For": chain})
		if want := plainly(c, peer, chain); got.Addr != want {
			t.Errorf("%+v: %q from %q is %v (%s), want %v", c, chain, remote, got.Addr, got.Found, want)
		}
		if !slices.Equal(chain, before) {
			t.Errorf("%q became %q", before, chain)
		}
	})
}

// plainly is the rules of Resolve with nothing spared: all tokens in one list.
func plainly(c Config, peer netip.Addr, chain []string) (none netip.Addr) {
	trusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(c.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	if !trusted(peer) {
		return peer
	}
	tokens := strings.FieldsFunc(strings.Join(chain, ","), func(r rune) bool { return r == ',' })
	for i := range tokens {
		tokens[i] = strings.Trim(tokens[i], " \t")
	}
	tokens = slices.DeleteFunc(tokens, func(s string) bool { return s == "" })
	slices.Reverse(tokens)
	var last netip.Addr
	for i, token := range tokens {
		m := grammar.FindStringSubmatch(token)
		if i >= 32 || len(token) > 53 || m == nil || len(strings.TrimLeft(m[2]+m[5], "0")) > 5 {
			return none
		}
		if port := strings.TrimLeft(m[2]+m[5], "0"); len(port) == 5 && port > "65535" {
			return none
		}
		a, err := netip.ParseAddr(m[1] + m[3] + m[4])
		if err != nil || a.Unmap().IsUnspecified() {
			return none
		}
		if c.Unmap {
			a = a.Unmap()
		}
		if i+1 == c.Hops || c.Hops == 0 && !trusted(a) {
			return a
		}
		last = a
	}
	switch {
	case c.Hops == 0 && c.Exhausted == ThePeer:
		return peer
	case c.Hops == 0 && c.Exhausted == Outermost:
		return last
	}
	return none
}
