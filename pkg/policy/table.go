package policy

import (
	"maps"
	"net/netip"
	"slices"
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

	host    Host
	ids     []string // every tenant there is, sorted
	system  resourceLists
	tenants map[string]*tenantLists
	own     map[listPart]*compiledList // endpoints' own lists
	hosts   hostNames
}

// tenantLists are one tenant's lists at a moment.
type tenantLists struct {
	lists     resourceLists
	users     map[string]resourceLists
	until     time.Time
	monitored bool        // one of them is in monitor
	sets      []tenantSet // the planner's, so that they stay for the next revision
}

// unlisted reports whether no list of the tenant stands before the resource.
func (ts *tenantLists) unlisted(resource string) bool {
	return ts.lists.of(AnyResource) == nil && (!named(resource) || ts.lists.of(resource) == nil)
}

// Compiler compiles one revision after another and keeps what did not change.
// The zero Compiler is ready; it is not for use by two goroutines.
type Compiler struct {
	sets  interner
	last  *Table                     // the revision before, nil at first
	lists map[listPart]*compiledList // what it compiled, by the list as written

	matching *matching

	// The revision being compiled.
	state *State
	now   time.Time
	keep  map[listPart]*compiledList

	sweeper sweeper
}

// Compile compiles s for a host at a moment. Its error is everything that is
// wrong with the model, as Problems.
func (c *Compiler) Compile(s *State, host Host, now time.Time) (*Table, error) {
	if err := s.Check().Err(); err != nil {
		return nil, err
	}
	if c.last != nil && c.last.State.Unmap != s.Unmap {
		*c = Compiler{} // every range reads otherwise
	}
	c.state, c.now = s, now
	c.keep = map[listPart]*compiledList{}
	if c.lists == nil {
		c.lists = map[listPart]*compiledList{}
	}
	t := &Table{
		State: s, Now: now, host: host,
		system: c.byResource(s.System), own: map[listPart]*compiledList{},
	}
	c.compileTenants(t)
	c.compileEndpoints(t)
	t.hosts = newHostNames(s.Tenants)
	t.NextExpiry = c.nextExpiry(t)
	if !c.matching.holds(t) {
		m, err := newMatching(&c.sets, t)
		if err != nil {
			return nil, err
		}
		c.matching = m
	}
	p := planner{sets: &c.sets, t: t, monitor: t.anyMonitored(), unions: map[unionKey]*Set{}}
	t.Plan = p.plan(c.matching)
	c.lists, c.last, c.sweeper = c.keep, t, sweeper{}
	c.sets.sweep()
	return t, nil
}

// Compile is a Compiler's first revision.
func Compile(s *State, host Host, now time.Time) (*Table, error) {
	return new(Compiler).Compile(s, host, now)
}

func (c *Compiler) byResource(lists map[string]*List) resourceLists {
	if len(lists) == 0 {
		return nil
	}
	compiled := make(resourceLists, 0, len(lists))
	for resource, l := range lists {
		if cl := c.list(listPart{List: l}); cl != nil {
			compiled = append(compiled, resourceList{resource, cl})
		}
	}
	return compiled
}

// compileTenants fills in every tenant there is.
func (c *Compiler) compileTenants(t *Table) {
	t.tenants = make(map[string]*tenantLists, len(t.State.Tenants))
	for id := range t.State.tenantIDs() {
		if tenant := t.State.Tenants[id]; tenant != nil {
			t.tenants[id] = c.tenantAgain(id, tenant)
		} else {
			t.tenants[id] = &tenantLists{}
		}
	}
	t.ids = slices.Sorted(maps.Keys(t.tenants))
}

// tenantAgain is the last revision's tenant where nothing in it changed; else
// it is compiled from those of its lists that did.
func (c *Compiler) tenantAgain(id string, tenant *Tenant) *tenantLists {
	if c.last == nil || c.last.tenants[id] == nil {
		return c.tenant(tenant)
	}
	old := c.last.tenants[id]
	if c.last.State.Tenants[id] == tenant && current(old.until, c.now) {
		return old
	}
	old.each(func(cl *compiledList) { c.lists[listPart{List: cl.list}] = cl })
	return c.tenant(tenant)
}

func (c *Compiler) tenant(tenant *Tenant) *tenantLists {
	ts := &tenantLists{lists: c.byResource(tenant.Lists)}
	if len(tenant.Users) > 0 {
		ts.users = make(map[string]resourceLists, len(tenant.Users))
	}
	for user, lists := range tenant.Users {
		ts.users[user] = c.byResource(lists)
	}
	ts.each(func(cl *compiledList) {
		ts.until = sooner(ts.until, cl.until)
		ts.monitored = ts.monitored || cl.list.State == ListMonitor
	})
	return ts
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

// compileEndpoints compiles what requests and what packets are held to.
func (c *Compiler) compileEndpoints(t *Table) {
	for _, ep := range t.State.Endpoints {
		for _, l := range []listPart{{List: ep.Policies}, ep.packetPolicies()} {
			if cl := c.list(l); cl != nil {
				t.own[l] = cl
			}
		}
	}
}

func (c *Compiler) nextExpiry(t *Table) time.Time {
	var next time.Time
	for _, l := range t.system {
		next = sooner(next, l.until)
	}
	for _, ts := range t.tenants {
		next = sooner(next, ts.until)
	}
	for _, cl := range t.own {
		next = sooner(next, cl.until)
	}
	return next
}

// tenantsOf are the tenants an endpoint serves.
func (t *Table) tenantsOf(ep *Endpoint) []string {
	if ep.AllTenants {
		return t.ids
	}
	return ep.Tenants
}

// TenantByHost finds the tenant a host name belongs to. The name is as in
// State: lower case, without port and trailing dot.
func (t *Table) TenantByHost(host string) (string, bool) { return t.hosts.find(host) }
