package policy

import (
	"iter"
	"net/netip"
	"slices"
)

// ground is which endpoints stand where.
type ground struct {
	local    []netip.Prefix
	at       map[Destination][]*Endpoint
	prefixes prefixSet // of the destinations
}

func (t *Table) ground() *ground {
	eps := t.State.Endpoints
	g := &ground{local: t.host.Local, at: make(map[Destination][]*Endpoint, len(eps))}
	for _, ep := range eps {
		g.at[ep.Destination] = append(g.at[ep.Destination], ep)
	}
	g.prefixes = newPrefixes(func(yield func(netip.Prefix) bool) {
		for d := range g.at {
			if d.Prefix.IsValid() && !yield(d.Prefix) {
				return
			}
		}
	})
	return g
}

// beneath are the endpoints that decide, without ep, where ep does.
func (g *ground) beneath(ep *Endpoint) iter.Seq[*Endpoint] {
	return func(yield func(*Endpoint) bool) {
		protocols := []Protocol{ep.Protocol}
		if ep.Protocol == AnyProtocol {
			protocols = []Protocol{TCP, UDP, AnyProtocol}
		}
		all := append(g.around(ep), ep)
		for _, proto := range protocols {
			for _, span := range portSpans(all, proto, nil) {
				if next := second(span.members, ep); next != nil && !yield(next) {
					return
				}
			}
		}
	}
}

// second is who decides after the first of members, if that is ep.
func second(members []member, ep *Endpoint) *Endpoint {
	i := slices.IndexFunc(members, func(m member) bool { return m.ep == ep })
	if i < 0 || len(members) == 1 {
		return nil
	}
	next := slices.MinFunc(slices.Concat(members[:i], members[i+1:]), member.precedence)
	if members[i].precedence(next) >= 0 {
		return nil
	}
	return next.ep
}

// around are the endpoints that share ports with one and stand on all of its
// destination: it takes nothing from those on a part.
func (g *ground) around(ep *Endpoint) []*Endpoint {
	to := ep.Destination
	places := []Destination{{Everything: true}}
	if !to.Everything && (!to.Prefix.IsValid() || slices.ContainsFunc(g.local, to.Prefix.Overlaps)) {
		places = append(places, Destination{})
	}
	if to.Prefix.IsValid() {
		for p := range g.prefixes.around(to.Prefix) {
			places = append(places, Destination{Prefix: p})
		}
	}
	var all []*Endpoint
	for _, place := range places {
		for _, other := range g.at[place] {
			if other != ep && other.meets(ep) {
				all = append(all, other)
			}
		}
	}
	return all
}

// meets reports whether some protocol and port is both endpoints'.
func (ep *Endpoint) meets(o *Endpoint) bool {
	if ep.Protocol == AnyProtocol || o.Protocol == AnyProtocol {
		return true
	}
	return ep.Protocol == o.Protocol && slices.ContainsFunc(ep.Ports, func(a PortRange) bool {
		return slices.ContainsFunc(o.Ports, func(b PortRange) bool { return a.First <= b.Last && b.First <= a.Last })
	})
}

// sameGround reports whether two endpoints stand in one place.
func sameGround(a, b *Endpoint) bool {
	return a.Destination == b.Destination && a.Protocol == b.Protocol && slices.Equal(a.Ports, b.Ports)
}
