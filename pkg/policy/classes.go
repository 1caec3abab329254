package policy

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// maxMembers bounds the endpoints of all classes together, so that ports laid
// crosswise over many endpoints are refused instead of filling the memory.
const maxMembers = 1 << 22

// classBuilder finds out which endpoint a packet is for, once records stand.
type classBuilder struct {
	*planner
	index   map[*Endpoint]int // an endpoint's record
	byKey   map[string]int    // members -> their class
	members int
}

// classes fills in the plan's ports and classes.
func (p *planner) classes() error {
	b := &classBuilder{planner: p, index: map[*Endpoint]int{}, byKey: map[string]int{}}
	for i := range p.out.Records[1:] {
		b.index[p.out.Records[i+1].Endpoint] = i + 1
	}
	var err error
	if p.out.TCP, err = b.ports(TCP); err != nil {
		return err
	}
	if p.out.UDP, err = b.ports(UDP); err != nil {
		return err
	}
	p.out.Other = b.other()
	p.out.Guard = b.guard()
	return nil
}

// ports gives every port of a protocol its class and its failsafe.
func (b *classBuilder) ports(proto Protocol) ([]PortClass, error) {
	var failsafe []PortRange
	for _, f := range b.t.State.Failsafe {
		if f.Protocol == proto {
			failsafe = append(failsafe, f.Ports...)
		}
	}
	var out []PortClass
	for _, span := range portSpans(b.t.State.Endpoints, proto, failsafe) {
		pc := PortClass{
			First: uint16(span.first), Last: uint16(span.last),
			Class: b.class(proto, span.members), Failsafe: b.failsafe(proto, uint16(span.first)),
		}
		if pc.Class != 0 || pc.Failsafe != nil {
			out = append(out, pc)
		}
	}
	if b.members > maxMembers {
		return nil, Problems{{
			What: fmt.Sprintf("endpoints' port ranges cut each other into %d places to look up", b.members),
			Remedy: fmt.Sprintf("at most %d fit: let endpoints on different addresses share the same ranges",
				maxMembers),
		}}
	}
	return out, nil
}

// failsafe is who is never dropped at a port; nil: nobody.
func (b *classBuilder) failsafe(proto Protocol, port uint16) *Set {
	var from []netip.Prefix
	for _, f := range b.t.State.Failsafe {
		covers := func(r PortRange) bool { return r.Contains(port) }
		if f.Protocol == proto && slices.ContainsFunc(f.Ports, covers) {
			from = append(from, f.From...)
		}
	}
	return b.sources(from)
}

// class is the class of ports covered by just these endpoints; 0 for none.
func (b *classBuilder) class(proto Protocol, members []member) int {
	if len(members) == 0 {
		return 0
	}
	key := []byte{byte(proto)}
	for _, m := range members {
		key = binary.LittleEndian.AppendUint32(key, uint32(b.index[m.ep]))
		key = binary.LittleEndian.AppendUint32(key, uint32(m.width))
	}
	if c, ok := b.byKey[string(key)]; ok {
		return c
	}
	if b.members += len(members); b.members > maxMembers {
		return 0 // ports refuses the whole
	}
	c := b.add(b.build(proto, members))
	b.byKey[string(key)] = c
	return c
}

func (b *classBuilder) add(c Class) int {
	b.out.Classes = append(b.out.Classes, c)
	return len(b.out.Classes) - 1
}

// build lets the most specific member win at each destination.
func (b *classBuilder) build(proto Protocol, members []member) Class {
	winners := map[netip.Prefix]member{} // by destination; "this host" under the zero Prefix
	var everything member
	for _, m := range members {
		if m.ep.Destination.Everything {
			everything = narrower(everything, m)
			continue
		}
		to := m.ep.Destination.Prefix
		winners[to] = narrower(winners[to], m)
	}
	dests := map[netip.Prefix]int{}
	for prefix, m := range winners {
		if prefix.IsValid() {
			dests[prefix] = b.index[m.ep]
		}
	}
	explicit := newPrefixes(maps.Keys(dests))
	if m := winners[netip.Prefix{}]; m.ep != nil {
		for _, local := range b.t.host.Local {
			if !explicit.cover(local) {
				dests[local] = b.index[m.ep]
			}
		}
	}
	c := Class{Any: b.index[everything.ep]}
	if proto == UDP {
		c.Broadcast = b.broadcast(members)
		for _, a := range b.t.host.Broadcast {
			if to := netip.PrefixFrom(a, a.BitLen()); c.Broadcast != 0 && dests[to] == 0 {
				dests[to] = c.Broadcast
			}
		}
	}
	c.Dests = sortedDests(dests)
	return c
}

// narrower is the member that wins at one destination. Equals are refused by
// Check, so the first stands.
func narrower(a, b member) member {
	if a.ep == nil || cmp.Or(cmp.Compare(b.width, a.width), cmp.Compare(b.ep.protocolRank(), a.ep.protocolRank())) < 0 {
		return b
	}
	return a
}

// broadcast is the record for a datagram to everybody: any socket of this host
// on the port may get it.
func (b *classBuilder) broadcast(members []member) int {
	var here []*Endpoint
	for _, m := range members {
		if d := m.ep.Destination; !d.Prefix.IsValid() || slices.ContainsFunc(b.t.host.Local, d.Prefix.Overlaps) {
			here = append(here, m.ep)
		}
	}
	if len(here) == 0 {
		return 0
	}
	return b.joint(here, b.index)
}

// other is the class of protocols without ports.
func (b *classBuilder) other() int {
	var members []member
	for _, ep := range b.t.State.Endpoints {
		if ep.Protocol == AnyProtocol {
			members = append(members, member{ep, AllPorts.width()})
		}
	}
	return b.class(AnyProtocol, members)
}

// guard is the class of what cannot be told apart by port: at each address, all
// endpoints that a packet there may be for.
func (b *classBuilder) guard() int {
	eps := b.t.State.Endpoints
	if len(eps) == 0 {
		return 0
	}
	at := map[netip.Prefix][]*Endpoint{} // "this host" under the zero Prefix
	var everything []*Endpoint
	for _, ep := range eps {
		if ep.Destination.Everything {
			everything = append(everything, ep)
		} else {
			at[ep.Destination.Prefix] = append(at[ep.Destination.Prefix], ep)
		}
	}
	here := at[netip.Prefix{}]
	delete(at, netip.Prefix{})
	explicit, local := newPrefixes(maps.Keys(at)), newPrefixes(slices.Values(b.t.host.Local))
	dests := map[netip.Prefix]int{}
	place := func(to netip.Prefix) {
		all := slices.Clone(everything)
		for p := range explicit.around(to) {
			all = append(all, at[p]...)
		}
		if local.cover(to) {
			all = append(all, here...)
		}
		dests[to] = b.joint(b.inOrder(all), b.index)
	}
	for to := range at {
		place(to)
	}
	for _, to := range b.t.host.Local {
		if len(here) > 0 && dests[to] == 0 {
			place(to)
		}
	}
	c := Class{Dests: sortedDests(dests)}
	if len(everything) > 0 {
		c.Any = b.joint(everything, b.index)
	}
	return b.add(c)
}

// inOrder sorts endpoints by their place in the State, so that equal unions are
// found to be equal.
func (b *classBuilder) inOrder(eps []*Endpoint) []*Endpoint {
	slices.SortFunc(eps, func(x, y *Endpoint) int { return cmp.Compare(b.index[x], b.index[y]) })
	return eps
}

func sortedDests(records map[netip.Prefix]int) []Dest {
	dests := make([]Dest, 0, len(records))
	for to, r := range records {
		dests = append(dests, Dest{to, r})
	}
	slices.SortFunc(dests, func(a, b Dest) int { return comparePrefixes(a.Prefix, b.Prefix) })
	return dests
}
