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
// replace it whole. What is the same in two revisions is one pointer in their
// Tables.
type Table struct {
	State *State
	Plan  *Plan
	Now   time.Time
	// NextExpiry is when an entry that is live now ends; zero: never.
	NextExpiry time.Time

	host    Host
	roster  *roster
	system  *systemLists
	own     *ownLists
	tenants Map[tenantLists] // every tenant there is
	all     summary          // of the tenants
	hosts   hostNames
}

// lifespan is until when lists hold as they were compiled, and whether one of
// them only monitors.
type lifespan struct {
	until     time.Time // zero: for ever
	monitored bool
}

func (s *lifespan) add(cl *compiledList) {
	s.until = sooner(s.until, cl.until)
	s.monitored = s.monitored || cl.list.State == ListMonitor
}

// systemLists are the system's lists at a moment.
type systemLists struct {
	lifespan
	lists resourceLists
}

// ownLists are the endpoints' own lists at a moment.
type ownLists struct {
	lifespan
	lists map[listPart]*compiledList
}

// tenantLists are one tenant's lists at a moment.
type tenantLists struct {
	lifespan
	lists resourceLists
	users map[string]resourceLists
	sets  []tenantSet // the planner's, so that they stay for the next revision
}

// set is what the planner made for a key; nil: nothing yet.
func (ts *tenantLists) set(key tenantKey) *Set {
	for _, s := range ts.sets {
		if s.tenantKey == key {
			return s.Set
		}
	}
	return nil
}

func (ts *tenantLists) each(f func(*compiledList)) {
	for _, l := range ts.lists {
		f(l.compiledList)
	}
	for _, lists := range ts.users {
		for _, l := range lists {
			f(l.compiledList)
		}
	}
}

// unlisted reports whether no list of the tenant stands before the resource.
func (ts *tenantLists) unlisted(resource string) bool {
	return ts.lists.of(AnyResource) == nil && (!named(resource) || ts.lists.of(resource) == nil)
}

// monitors reports whether some list only monitors.
func (t *Table) monitors() bool {
	return t.system.monitored || t.own.monitored || t.all.monitored > 0
}

// tenantsOf are the tenants an endpoint serves.
func (t *Table) tenantsOf(ep *Endpoint) []string {
	if ep.AllTenants {
		return t.all.ids
	}
	return ep.Tenants
}

// Ahead is t at a later moment, as far as the system's lists and one tenant's say:
// 90,000 others and the endpoints cost nothing.
func (t *Table) Ahead(tenant string, now time.Time) (*Table, error) {
	s := *t.State
	s.Tenants, s.Endpoints, s.Dormant, s.Failsafe = Map[Tenant]{}, nil, nil, nil
	if is := t.State.Tenants.Get(tenant); is != nil {
		s.Tenants = s.Tenants.With(tenant, is)
	}
	return Compile(&s, Host{}, now)
}

// TenantByHost finds the tenant a host name belongs to. The name is as in
// State: lower case, without port and trailing dot.
func (t *Table) TenantByHost(host string) (string, bool) { return t.hosts.find(host) }
