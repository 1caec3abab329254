package main

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// subject is a policy by which packets are judged, and packets whose verdict is
// known: the time of the program over that of a bare drop is measured for each.
type subject struct {
	section, row     string
	at               float64
	state            *policy.State
	listed, unlisted []flow
}

// byRanges times lists of more and more ranges that do not merge.
func (b *bench) byRanges() {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, n := range b.ranges {
		b.programTime(b.oneList(rng, "list", thousands(n), n, scattered(rng, n)))
	}
}

// byName times lists as they are found.
func (b *bench) byName() {
	rng := rand.New(rand.NewPCG(5, 5))
	bgp := b.lists.bgp(b.Stage)
	if bgp == nil {
		b.note("the BGP table is absent: its module is not in the cache (go mod download)")
	}
	for _, l := range []struct {
		name     string
		prefixes []netip.Prefix
	}{
		{"AWS IPv4", b.lists.cloud(b.Stage, "aws-v4")},
		{"AWS IPv6", b.lists.cloud(b.Stage, "aws-v6")},
		{"every AS, IPv4", b.lists.asn(b.Stage)},
		{"BGP table IPv4", family(bgp, false)},
		{"BGP table IPv6", family(bgp, true)},
	} {
		if len(l.prefixes) > 0 {
			b.programTime(b.oneList(rng, "named", l.name+", "+thousands(len(l.prefixes)), 0, l.prefixes))
		}
	}
}

// oneList is the subject of an endpoint with one list, of one family.
func (b *bench) oneList(rng *rand.Rand, section, row string, at int, prefixes []netip.Prefix) subject {
	six := prefixes[0].Addr().Is6()
	state := stateOf([]tenant{{id: "t", allow: prefixes}})
	to := state.Endpoints[0]
	if six {
		to.Destination.Prefix = netip.MustParsePrefix("2001:db8::10/128")
	}
	set := setOf(b.Stage, prefixes)
	sub := subject{section: section, row: row, at: float64(at), state: state}
	for range headers {
		sub.listed = append(sub.listed, flow{within(rng, prefixes[rng.IntN(len(prefixes))]), to})
		sub.unlisted = append(sub.unlisted, flow{outside(rng, set, six), to})
	}
	return sub
}

// byDestinations times more and more endpoints, each with a tenant of its own.
// Up to a hundred of them, every list has at most eight ranges.
func (b *bench) byDestinations() {
	rng := rand.New(rand.NewPCG(6, 6))
	all := b.lists.byASN(b.Stage)
	for _, n := range b.endpoints {
		n = min(n, len(all))
		ts := all[:n]
		if n <= 100 {
			ts = slices.DeleteFunc(slices.Clone(all), func(t tenant) bool { return len(t.allow) > 8 })[:n]
		}
		b.programTime(b.manyTenants(rng, n, ts))
	}
}

func (b *bench) manyTenants(rng *rand.Rand, n int, ts []tenant) subject {
	sub := subject{section: "destinations", row: thousands(n), at: float64(n), state: stateOf(ts)}
	for len(sub.listed) < headers {
		i := rng.IntN(n)
		to := sub.state.Endpoints[i]
		own := family(ts[i].allow, false)
		if len(own) > 0 {
			sub.listed = append(sub.listed, flow{within(rng, own[rng.IntN(len(own))]), to})
		}
		if len(sub.unlisted) < headers {
			sub.unlisted = append(sub.unlisted, flow{strangerTo(rng, own), to})
		}
	}
	return sub
}

// strangerTo is an address in none of a few prefixes.
func strangerTo(rng *rand.Rand, prefixes []netip.Prefix) netip.Addr {
	for {
		a := addr4(1<<24 + rng.Uint32N(126<<24))
		if !slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return a
		}
	}
}
