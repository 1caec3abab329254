package policy

import (
	"cmp"
	"net/netip"
	"slices"
)

// Conn is a TCP connection of this host.
type Conn struct{ Local, Remote netip.AddrPort }

// Cut is a connection that an endpoint would cut off. Which list does, and by
// which entry, DecidePacket says.
type Cut struct {
	Conn
	Endpoint *Endpoint
}

// CutOff are the connections that a change from before to after would cut off:
// those whose packets passed, and would be dropped. Nil dropped nothing. It goes
// by the plans, so that what did not change costs nothing, and the rest little
// whatever it is judged by.
func CutOff(before, after *Table, conns []Conn) []Cut {
	var cut []Cut
	for _, c := range conns {
		was, is := before.barrier(c.Local), after.barrier(c.Local)
		if was != is && c.onWire() && is.stops(c) && !was.stops(c) {
			cut = append(cut, Cut{c, is.endpoint})
		}
	}
	return cut
}

// Guards reports whether an endpoint decides about TCP packets to a port, at some
// address. Where none does, no connection to it is cut off, and none need be
// looked for.
func (t *Table) Guards(port uint16) bool { return t.Plan.tcpPort(port).Class != 0 }

// onWire reports whether c has packets that an interface sees: what a host sends
// to itself has none.
func (c Conn) onWire() bool {
	return c.Remote.Addr() != c.Local.Addr() && !c.Remote.Addr().IsLoopback()
}

// barrier is what drops packets to an address and port; the zero one nothing.
type barrier struct {
	endpoint              *Endpoint
	failsafe, own, tenant *Set
}

func (b barrier) stops(c Conn) bool {
	src := c.Remote.Addr()
	return b.endpoint != nil && !(b.failsafe != nil && b.failsafe.Contains(src)) &&
		!(b.own.Contains(src) && b.tenant.Contains(src))
}

func (t *Table) barrier(local netip.AddrPort) barrier {
	if t == nil {
		return barrier{}
	}
	at := t.Plan.tcpPort(local.Port())
	r := t.Plan.Records.At(t.Plan.Classes[at.Class].recordFor(local.Addr()))
	if r == nil || r.Mode != Enforce {
		return barrier{}
	}
	return barrier{r.Endpoint, at.Failsafe, r.Own, r.Tenant}
}

// tcpPort is what holds for a TCP port; the zero PortClass where none is ours.
func (p *Plan) tcpPort(port uint16) PortClass {
	i, _ := slices.BinarySearchFunc(p.TCP, port, func(pc PortClass, port uint16) int { return cmp.Compare(pc.Last, port) })
	if i == len(p.TCP) || port < p.TCP[i].First {
		return PortClass{}
	}
	return p.TCP[i]
}

// recordFor is the record of a unicast destination; 0: none.
func (c *Class) recordFor(dst netip.Addr) int {
	for bits := dst.BitLen(); bits >= 0; bits-- {
		to, _ := dst.Prefix(bits) // they are in range
		i, found := slices.BinarySearchFunc(c.Dests, to, func(d Dest, to netip.Prefix) int { return comparePrefixes(d.Prefix, to) })
		if found {
			return c.Dests[i].Record
		}
	}
	return c.Any
}
