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

// matching is which endpoint a packet is for. It depends on the endpoints, the
// failsafes and the host, not on any list, and so outlives most revisions.
type matching struct {
	endpoints []*Endpoint
	failsafes []Failsafe
	host      Host

	tcp, udp     []PortClass
	classes      []Class
	other, guard int
	joints       [][]int       // the endpoints' records that each joint record is for
	partOf       map[int][]int // a record -> its joints
}

// jointRecord is the record of a joint: joints follow the endpoints.
func (m *matching) jointRecord(joint int) int { return len(m.endpoints) + 1 + joint }

// jointsOf are the joints that some of these records are part of.
func (m *matching) jointsOf(records map[int]bool) map[int]bool {
	joints := map[int]bool{}
	for r := range records {
		for _, joint := range m.partOf[r] {
			joints[joint] = true
		}
	}
	return joints
}

// holds reports whether m is the matching of a table too.
func (m *matching) holds(t *Table) bool {
	return m != nil && same(m.endpoints, t.State.Endpoints) && same(m.failsafes, t.State.Failsafe) &&
		slices.Equal(m.host.Local, t.host.Local) && slices.Equal(m.host.Broadcast, t.host.Broadcast)
}

// same reports whether two slices are one and the same.
func same[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// matcher builds a matching. Record i+1 is the i-th endpoint's; the joint
// records follow.
type matcher struct {
	*matching
	sets    *interner
	index   map[*Endpoint]int // an endpoint's record
	byKey   map[string]int    // members -> their class
	joined  map[string]int    // members -> their joint record
	members int
}

func newMatching(sets *interner, t *Table) (*matching, error) {
	eps := t.State.Endpoints
	b := &matcher{
		matching: &matching{endpoints: eps, failsafes: t.State.Failsafe, host: t.host, classes: make([]Class, 1), partOf: map[int][]int{}},
		sets:     sets, index: make(map[*Endpoint]int, len(eps)), byKey: map[string]int{}, joined: map[string]int{},
	}
	for i, ep := range eps {
		b.index[ep] = i + 1
	}
	var err error
	if b.tcp, err = b.ports(TCP); err != nil {
		return nil, err
	}
	if b.udp, err = b.ports(UDP); err != nil {
		return nil, err
	}
	b.matching.other = b.otherClass()
	b.matching.guard = b.guardClass()
	return b.matching, nil
}

// joint is the record for what may be meant for any of several endpoints.
func (b *matcher) joint(members []*Endpoint) int {
	if len(members) == 1 {
		return b.index[members[0]]
	}
	var key []byte
	records := make([]int, len(members))
	for i, ep := range members {
		records[i] = b.index[ep]
		key = binary.LittleEndian.AppendUint32(key, uint32(records[i]))
	}
	r, ok := b.joined[string(key)]
	if !ok {
		for _, member := range records {
			b.partOf[member] = append(b.partOf[member], len(b.joints))
		}
		r = b.jointRecord(len(b.joints))
		b.joints = append(b.joints, records)
		b.joined[string(key)] = r
	}
	return r
}

// ports gives every port of a protocol its class and its failsafe.
func (b *matcher) ports(proto Protocol) ([]PortClass, error) {
	var failsafe []PortRange
	for _, f := range b.failsafes {
		if f.Protocol == proto {
			failsafe = append(failsafe, f.Ports...)
		}
	}
	var out []PortClass
	for _, span := range portSpans(b.endpoints, proto, failsafe) {
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
func (b *matcher) failsafe(proto Protocol, port uint16) *Set {
	var from []netip.Prefix
	for _, f := range b.failsafes {
		covers := func(r PortRange) bool { return r.Contains(port) }
		if f.Protocol == proto && slices.ContainsFunc(f.Ports, covers) {
			from = append(from, f.From...)
		}
	}
	return b.sets.sources(from)
}

// class is the class of ports covered by just these endpoints; 0 for none.
func (b *matcher) class(proto Protocol, members []member) int {
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

func (b *matcher) add(c Class) int {
	b.classes = append(b.classes, c)
	return len(b.classes) - 1
}

// build lets the most specific member win at each destination.
func (b *matcher) build(proto Protocol, members []member) Class {
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
		for _, local := range b.host.Local {
			if !explicit.cover(local) {
				dests[local] = b.index[m.ep]
			}
		}
	}
	c := Class{Any: b.index[everything.ep]}
	if proto == UDP {
		c.Broadcast = b.broadcast(members)
		b.toBroadcast(dests, c.Broadcast)
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
func (b *matcher) broadcast(members []member) int {
	var here []*Endpoint
	for _, m := range members {
		if d := m.ep.Destination; !d.Prefix.IsValid() || slices.ContainsFunc(b.host.Local, d.Prefix.Overlaps) {
			here = append(here, m.ep)
		}
	}
	if len(here) == 0 {
		return 0
	}
	return b.joint(here)
}

// toBroadcast gives the subnets' broadcast addresses a record, where there is one
// and they have none of their own.
func (b *matcher) toBroadcast(dests map[netip.Prefix]int, record int) {
	for _, a := range b.host.Broadcast {
		if to := netip.PrefixFrom(a, a.BitLen()); record != 0 && dests[to] == 0 {
			dests[to] = record
		}
	}
}

// otherClass is the class of protocols without ports.
func (b *matcher) otherClass() int {
	var members []member
	for _, ep := range b.endpoints {
		if ep.Protocol == AnyProtocol {
			members = append(members, member{ep, AllPorts.width()})
		}
	}
	return b.class(AnyProtocol, members)
}

// guardClass is the class of what cannot be told apart by port: at each address, all
// endpoints that a packet there may be for.
func (b *matcher) guardClass() int {
	eps := b.endpoints
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
	explicit, local := newPrefixes(maps.Keys(at)), newPrefixes(slices.Values(b.host.Local))
	dests := map[netip.Prefix]int{}
	place := func(to netip.Prefix) {
		all := slices.Clone(everything)
		for p := range explicit.around(to) {
			all = append(all, at[p]...)
		}
		if local.cover(to) {
			all = append(all, here...)
		}
		dests[to] = b.joint(b.inOrder(all))
	}
	for _, ep := range eps { // and not by at, whose order would number the joints anew each time
		if to := ep.Destination.Prefix; to.IsValid() && dests[to] == 0 {
			place(to)
		}
	}
	for _, to := range b.host.Local {
		if len(here) > 0 && dests[to] == 0 {
			place(to)
		}
	}
	var datagrams []member
	for _, ep := range eps {
		if ep.Protocol != TCP {
			datagrams = append(datagrams, member{ep: ep})
		}
	}
	b.toBroadcast(dests, b.broadcast(datagrams))
	c := Class{Dests: sortedDests(dests)}
	if len(everything) > 0 {
		c.Any = b.joint(everything)
	}
	return b.add(c)
}

// inOrder sorts endpoints by their place in the State, so that equal unions are
// found to be equal.
func (b *matcher) inOrder(eps []*Endpoint) []*Endpoint {
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

// comparePrefixes sorts by address, the wider first.
func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
