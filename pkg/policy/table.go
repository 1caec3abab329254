package policy

import (
	"net/netip"
	"time"
)

// Host is what a revision needs to know of the machine it is enforced on.
type Host struct {
	// Local are the destinations the host delivers to itself: its addresses, as
	// single-address prefixes, and whatever wider prefixes its local table holds.
	Local []netip.Prefix
	// Broadcast are the subnet-directed broadcast addresses.
	Broadcast []netip.Addr
}

// Table is a State compiled for a moment. It never changes: share the pointer,
// replace it whole.
type Table struct {
	State *State
	Plan  *Plan
	Now   time.Time
	// NextExpiry is when an entry that is live now ends; zero: never.
	NextExpiry time.Time
}

// Compiler compiles one revision after another and keeps what did not change.
// The zero Compiler is ready; it is not for use by two goroutines.
type Compiler struct{}

// Compile compiles s for a host at a moment. Its error joins everything that is
// wrong with the model, as Problems.
func (c *Compiler) Compile(s *State, host Host, now time.Time) (*Table, error) {
	panic("being written")
}

// Decide is the law: may q.Addr pass.
//
// Without a tenant on an endpoint that has some, the question is the packet's:
// may any of the endpoint's tenants be meant; the tenant scope then allows where
// one of them does. User lists are judged only for a named user of a named
// tenant.
func (t *Table) Decide(q Query) Verdict { panic("being written") }

// DecidePacket is what the kernel must do with a packet from src that matched
// ep: Decide, as far as a packet's source settles it.
func (t *Table) DecidePacket(ep *Endpoint, src netip.Addr) Verdict { panic("being written") }

// TenantByHost finds the tenant a canonical host name belongs to.
func (t *Table) TenantByHost(host string) (string, bool) { panic("being written") }

// Match is endpoint precedence: who decides about a packet to dst, if anyone
// does. port is ignored for protocols other than TCP and UDP (AnyProtocol).
func (t *Table) Match(proto Protocol, dst netip.Addr, port uint16) *Endpoint { panic("being written") }
