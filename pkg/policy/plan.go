package policy

import "net/netip"

// Plan is a Table as the kernel looks it up: a packet's protocol and port give
// a class, the class and the destination give a record, and the record's two
// sets judge the source. It is immutable.
type Plan struct {
	Mode     Mode
	PassMPLS bool

	Records Records
	Classes []Class // Classes[0] is unused: 0 is "not ours"
	// TCP and UDP cover the ports that have a class or a failsafe, in order,
	// without overlap; a port in none of them is not ours.
	TCP, UDP []PortClass
	// Other is the class of protocols without ports (ICMP, ESP, SCTP, ...):
	// the "any" endpoints. 0: none.
	Other int
	// Guard is the class in which every endpoint takes part: what is guarded at
	// all, and who may send there what cannot be told apart by port (later
	// fragments, tunnels). Its records hold the union of the address's endpoints.
	Guard int
	// Tunnels are the sources whose tunnelled packets pass at any guarded
	// address, beside the guard's union. Nil: none.
	Tunnels *Set
	// FailsafeAny holds every failsafe source: it passes later fragments.
	FailsafeAny *Set
}

// PortClass gives the ports First to Last their class and the sources that are
// never dropped there.
type PortClass struct {
	First, Last uint16
	Class       int  // 0: no endpoint, only a failsafe
	Failsafe    *Set // nil: none
}

// Class is a set of ports that the same endpoints cover. Among them the
// destination decides: the longest prefix, then Any.
type Class struct {
	Dests []Dest // distinct prefixes, canonical, sorted; single addresses and longer ones
	// Any is the record for every other destination; 0: not ours.
	Any int
	// Broadcast is the record for multicast and limited broadcast (and for the
	// address 0.0.0.0) where no Dest holds it; 0: falls to Any.
	Broadcast int
}

// Dest gives the destinations in a prefix their record.
type Dest struct {
	Prefix netip.Prefix
	Record int
}

// Record is an endpoint, or a union of some, as the kernel judges it: the
// source must be in both sets.
type Record struct {
	Endpoint *Endpoint // nil: a union (guard, broadcast)
	Name     string    // the endpoint's name, or what the union stands for
	Mode     Mode      // the weaker of agent and endpoint
	Own      *Set      // system AND the endpoint's own list; or the proxies
	Tenant   *Set      // the tenant's, or the union over the endpoint's tenants
	// ShadowOwn and ShadowTenant are what the law says where a list in monitor
	// makes enforcement weaker; nil where both are the same. A source that
	// passes Own and Tenant and fails these is counted, not dropped.
	ShadowOwn, ShadowTenant *Set
}
