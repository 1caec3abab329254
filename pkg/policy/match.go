package policy

import (
	"cmp"
	"net/netip"
	"slices"
)

// Match is endpoint precedence: who decides about a packet to dst, if anyone
// does. The most specific destination comes first, then the narrower ports, then
// tcp or udp before any. AnyProtocol asks for a protocol without ports.
func (t *Table) Match(proto Protocol, dst netip.Addr, port uint16) *Endpoint {
	var best *Endpoint
	var rank []int
	for _, ep := range t.State.Endpoints {
		width, ok := ep.width(proto, port)
		if !ok || !t.host.reaches(ep.Destination, dst) {
			continue
		}
		if r := []int{-ep.Destination.rank(), width, ep.protocolRank()}; best == nil || slices.Compare(r, rank) < 0 {
			best, rank = ep, r
		}
	}
	return best
}

// width is how many ports the narrowest of ep's ranges around port has; not ok
// where none is around it.
func (ep *Endpoint) width(proto Protocol, port uint16) (width int, ok bool) {
	if ep.Protocol == AnyProtocol {
		return AllPorts.width(), true
	}
	if ep.Protocol != proto {
		return 0, false
	}
	for _, r := range ep.Ports {
		if r.Contains(port) && (!ok || r.width() < width) {
			width, ok = r.width(), true
		}
	}
	return width, ok
}

func (r PortRange) width() int { return int(r.Last) - int(r.First) + 1 }

// protocolRank puts an endpoint of one protocol before one of any.
func (ep *Endpoint) protocolRank() int {
	if ep.Protocol == AnyProtocol {
		return 1
	}
	return 0
}

// rank is how specific a destination is: everything, this host, then prefixes by
// length.
func (d Destination) rank() int {
	switch {
	case d.Everything:
		return 0
	case !d.Prefix.IsValid():
		return 1
	}
	return 2 + d.Prefix.Bits()
}

// reaches reports whether a packet to dst is one to d, on this host.
func (h *Host) reaches(d Destination, dst netip.Addr) bool {
	switch {
	case d.Everything:
		return true
	case d.Prefix.IsValid():
		return d.Prefix.Contains(dst)
	}
	return slices.ContainsFunc(h.Local, func(p netip.Prefix) bool { return p.Contains(dst) })
}

// portSpan is ports First to Last, which the same endpoints cover.
type portSpan struct {
	first, last int
	members     []member // by place in State
}

// member is an endpoint that covers a span of ports, and how widely.
type member struct {
	ep    *Endpoint
	width int
}

// precedence is less than zero where m decides before o.
func (m member) precedence(o member) int {
	return cmp.Or(cmp.Compare(o.ep.Destination.rank(), m.ep.Destination.rank()),
		cmp.Compare(m.width, o.width), cmp.Compare(m.ep.protocolRank(), o.ep.protocolRank()))
}

// portSpans cuts a protocol's ports wherever an endpoint's or another range
// begins or ends, and says who covers each piece.
func portSpans(eps []*Endpoint, proto Protocol, others []PortRange) []portSpan {
	starts := map[int][]*Endpoint{}
	cuts := []int{0, 1 << 16}
	cut := func(r PortRange) { cuts = append(cuts, int(r.First), int(r.Last)+1) }
	for _, r := range others {
		cut(r)
	}
	for _, ep := range eps {
		for _, r := range ep.portsFor(proto) {
			cut(r)
			starts[int(r.First)] = append(starts[int(r.First)], ep)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	place := make(map[*Endpoint]int, len(eps))
	for i, ep := range eps {
		place[ep] = i
	}
	var open []member
	var out []portSpan
	for i := range len(cuts) - 1 {
		at := cuts[i]
		for _, ep := range starts[at] {
			open = append(open, member{ep: ep})
		}
		open = stillCovering(open, proto, uint16(at))
		slices.SortFunc(open, func(a, b member) int { return cmp.Compare(place[a.ep], place[b.ep]) })
		open = slices.CompactFunc(open, func(a, b member) bool { return a.ep == b.ep })
		out = append(out, portSpan{at, cuts[i+1] - 1, slices.Clone(open)})
	}
	return out
}

// stillCovering drops the members whose ports ended before at, and measures the
// rest anew.
func stillCovering(open []member, proto Protocol, at uint16) []member {
	kept := open[:0]
	for _, m := range open {
		if width, ok := m.ep.width(proto, at); ok {
			kept = append(kept, member{m.ep, width})
		}
	}
	return kept
}

func (ep *Endpoint) portsFor(proto Protocol) []PortRange {
	switch ep.Protocol {
	case AnyProtocol:
		return []PortRange{AllPorts}
	case proto:
		return ep.Ports
	}
	return nil
}
