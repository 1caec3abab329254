package policy

import (
	"maps"
	"time"
)

// Compiler compiles one revision after another. What it does goes by what is not
// the same in the State before, which it finds by comparing the two: a list that
// changed among 90,000 costs little more than one among three. The zero Compiler
// is ready; it is not for use by two goroutines.
type Compiler struct {
	sets     interner
	last     *Table // the revision before, nil at first
	matching *matching
	unions   map[unionKey]*union

	// The revision being compiled.
	state   *State
	now     time.Time
	lists   map[listPart]*compiledList // what there is already, by the list as written
	sweeper sweeper
}

// Compile compiles s for a host at a moment. Its error is everything that is
// wrong with the model, as Problems.
func (c *Compiler) Compile(s *State, host Host, now time.Time) (*Table, error) {
	last := c.before(s, now)
	if err := s.checkSince(last.State).Err(); err != nil {
		return nil, err
	}
	c.state, c.now, c.lists = s, now, map[listPart]*compiledList{}
	t := &Table{State: s, Now: now, host: host, roster: last.roster, hosts: last.hosts}
	if !same(s.Endpoints, last.State.Endpoints) {
		t.roster = newRoster(s.Endpoints)
	}
	if !s.sameHosts(last.State) {
		t.hosts = newHostNames(s.Tenants)
	}
	t.system = c.systemAgain(last)
	t.own = c.ownAgain(last)
	t.tenants = last.tenants.Edit(c.changedTenants(t, last))
	t.all = last.all.next(last.tenants, t.tenants)
	t.NextExpiry = sooner(sooner(t.system.until, t.own.until), t.all.until)
	m := c.matching
	if !m.holds(t) {
		var err error
		if m, err = newMatching(&c.sets, t); err != nil {
			return nil, err
		}
	}
	if t.roster != last.roster {
		c.unions = map[unionKey]*union{}
	}
	p := planner{sets: &c.sets, t: t, monitor: t.monitors(), unions: c.unions}
	if m == c.matching {
		p.last = last
	}
	t.Plan = p.plan(m)
	c.last, c.matching, c.lists, c.sweeper = t, m, nil, sweeper{}
	c.sets.sweep()
	return t, nil
}

// Compile is a Compiler's first revision.
func Compile(s *State, host Host, now time.Time) (*Table, error) {
	return new(Compiler).Compile(s, host, now)
}

// before is the revision that s at now may share with: an empty one at first,
// where ranges read otherwise, and where what has expired would live again.
func (c *Compiler) before(s *State, now time.Time) *Table {
	if c.last == nil || c.last.State.Unmap != s.Unmap || now.Before(c.last.Now) {
		*c = Compiler{}
		return &Table{State: &State{}, roster: newRoster(nil), system: &systemLists{}, own: &ownLists{}, hosts: newHostNames(Map[Tenant]{})}
	}
	return c.last
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

// known offers a list compiled before to be taken again.
func (c *Compiler) known(cl *compiledList) { c.lists[listPart{List: cl.list}] = cl }

// systemAgain is the last revision's system lists where none changed.
func (c *Compiler) systemAgain(last *Table) *systemLists {
	old := last.system
	if maps.Equal(c.state.System, last.State.System) && current(old.until, c.now) {
		return old
	}
	for _, l := range old.lists {
		c.known(l.compiledList)
	}
	system := &systemLists{lists: c.byResource(c.state.System)}
	for _, l := range system.lists {
		system.add(l.compiledList)
	}
	return system
}

// ownAgain is the last revision's endpoints' lists where none changed; else what
// requests and what packets are held to.
func (c *Compiler) ownAgain(last *Table) *ownLists {
	old := last.own
	if same(c.state.Endpoints, last.State.Endpoints) && current(old.until, c.now) {
		return old
	}
	maps.Copy(c.lists, old.lists)
	own := &ownLists{lists: map[listPart]*compiledList{}}
	for _, ep := range c.state.Endpoints {
		for _, l := range []listPart{{List: ep.Policies}, ep.packetPolicies()} {
			if cl := c.list(l); cl != nil {
				own.lists[l] = cl
				own.add(cl)
			}
		}
	}
	return own
}

// changedTenants are the tenants that are not as in the last revision: what was
// written changed, an entry expired, or an endpoint names another tenant. A
// record makes a tenant, and so does an endpoint that names it.
func (c *Compiler) changedTenants(t, last *Table) map[string]*tenantLists {
	changed := map[string]*tenantLists{}
	for ch := range t.State.Tenants.Since(last.State.Tenants) {
		changed[ch.Name] = c.tenantAgain(t, ch.Name, last.tenants.Get(ch.Name))
	}
	if !current(last.all.until, c.now) {
		for id, old := range last.tenants.All() {
			if _, done := changed[id]; !done && !current(old.until, c.now) {
				changed[id] = c.tenantAgain(t, id, old)
			}
		}
	}
	if t.roster != last.roster {
		for _, r := range []*roster{t.roster, last.roster} {
			for id := range r.naming {
				if t.State.Tenants.Get(id) == nil && t.roster.names(id) != last.roster.names(id) {
					changed[id] = c.tenantAgain(t, id, nil)
				}
			}
		}
	}
	return changed
}

// tenantAgain is compiled from those lists of a tenant that changed since old;
// nil where there is no such tenant any more.
func (c *Compiler) tenantAgain(t *Table, id string, old *tenantLists) *tenantLists {
	tenant := c.state.Tenants.Get(id)
	switch {
	case tenant == nil && !t.roster.names(id):
		return nil
	case tenant == nil:
		return &tenantLists{}
	}
	if old != nil {
		old.each(c.known)
	}
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
	ts.each(ts.add)
	return ts
}
