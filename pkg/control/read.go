package control

import (
	"cmp"
	"maps"
	"slices"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// Page is a part of what there is, in the order of names.
type Page struct {
	After string // the last name of the page before; "": from the first
	Limit int    // 0: all
}

// cut is what a page holds of sorted items, and what the next page comes after;
// "": nothing does.
func cut[T any](p Page, sorted []T, name func(T) string) ([]T, string) {
	first, found := slices.BinarySearchFunc(sorted, p.After, func(item T, after string) int { return cmp.Compare(name(item), after) })
	if found {
		first++
	}
	sorted = sorted[first:]
	if p.Limit <= 0 || len(sorted) <= p.Limit {
		return sorted, ""
	}
	return sorted[:p.Limit], name(sorted[p.Limit-1])
}

// ListQuery asks for lists. Its zero value asks for all.
type ListQuery struct {
	Scope    policy.Scope // NoScope: any
	Tenant   string
	User     string
	Resource string
	Owner    *string // a file; "" in it: the store
	Orphaned *bool
	Page
}

func (q *ListQuery) wants(at policy.Place, l *policy.List) bool {
	return (q.Scope == policy.NoScope || q.Scope == at.Scope) &&
		(q.Tenant == "" || q.Tenant == at.Tenant) && (q.User == "" || q.User == at.User) &&
		(q.Resource == "" || q.Resource == at.Resource) &&
		(q.Owner == nil || *q.Owner == l.Owner) && (q.Orphaned == nil || *q.Orphaned == l.Orphaned)
}

// Lists are those of the lists asked for that the caller may read, by name, and
// what the next page comes after.
func (s *Service) Lists(c *Call, q ListQuery) ([]List, string, error) {
	state, err := s.readable(c, "lists.read", access.ReadLists)
	if err != nil {
		return nil, "", err
	}
	var found []List
	for at, l := range state.Lists() {
		if q.wants(at, l) && c.reads(at) {
			found = append(found, List{at, l})
		}
	}
	slices.SortFunc(found, func(a, b List) int { return cmp.Compare(a.At.String(), b.At.String()) })
	page, next := cut(q.Page, found, func(l List) string { return l.At.String() })
	return page, next, nil
}

// List is the list at a place.
func (s *Service) List(c *Call, at policy.Place) (*policy.List, error) {
	l, err := s.list(c, at)
	return l, s.unread(c, "list.read", listed(at.String()), err)
}

func (s *Service) list(c *Call, at policy.Place) (*policy.List, error) {
	if err := c.lacks(s.Table(), listNeeds(at, false)...); err != nil {
		return nil, err
	}
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	if l := state.ListAt(at); l != nil {
		return l, nil
	}
	if err := writable(state, at, nil); err != nil {
		return nil, err
	}
	return nil, &policy.Unknown{What: "list", Name: at.String()}
}

// reads reports whether the caller may read the list at a place.
func (c *Call) reads(at policy.Place) bool {
	n := listNeeds(at, false)[0]
	return c.who().May(n.action, n.target)
}

// readable is the state, for a caller that may do something to some of it.
func (s *Service) readable(c *Call, verb string, a access.Action) (*policy.State, error) {
	if !c.maySome(a) {
		return nil, s.unread(c, verb, nil, &Refusal{Kind: Forbidden, What: c.who().Name + " may not " + doing(a) + " anything"})
	}
	return s.state()
}

func (c *Call) maySome(a access.Action) bool { return c.who().MaySome(a) }

// Tenants are those that the caller may read, by id, and what the next page comes
// after. One that an endpoint names and nothing else is told of has its id alone.
func (s *Service) Tenants(c *Call, p Page) ([]*policy.Tenant, string, error) {
	state, err := s.readable(c, "tenants.read", access.ReadTenants)
	if err != nil {
		return nil, "", err
	}
	var found []*policy.Tenant
	for id := range state.TenantIDs() {
		if c.who().May(access.ReadTenants, ofTenant(id)) {
			found = append(found, tenantOf(state, id))
		}
	}
	slices.SortFunc(found, func(a, b *policy.Tenant) int { return cmp.Compare(a.ID, b.ID) })
	page, next := cut(p, found, func(t *policy.Tenant) string { return t.ID })
	return page, next, nil
}

func tenantOf(s *policy.State, id string) *policy.Tenant {
	if t := s.Tenants.Get(id); t != nil {
		return t
	}
	return &policy.Tenant{ID: id}
}

// Tenant is a tenant, its lists and users with it: whoever may read the tenant may
// read these.
func (s *Service) Tenant(c *Call, id string) (*policy.Tenant, error) {
	t, err := s.tenant(c, need{access.ReadTenants, ofTenant(id)})
	return t, s.unread(c, "tenant.read", []string{"tenants/" + id}, err)
}

// User is the tenant of a user that there is. Of a caller that is the user itself
// no more of the tenant is told.
func (s *Service) User(c *Call, tenant, user string) (*policy.Tenant, error) {
	t, err := s.tenant(c, need{access.ReadTenants, ofUser(tenant, user)})
	if err == nil && !t.HasUser(user) {
		err = &policy.Unknown{What: "user", Name: user}
	}
	if err != nil {
		return nil, s.unread(c, "user.read", []string{"tenants/" + tenant + "/users/" + user}, err)
	}
	if !c.who().May(access.ReadTenants, ofTenant(tenant)) {
		t = only(t, user)
	}
	return t, nil
}

func only(t *policy.Tenant, user string) *policy.Tenant {
	o := &policy.Tenant{ID: t.ID, Owner: t.Owner, Names: map[string]string{}, Users: map[string]map[string]*policy.List{}}
	if name, named := t.Names[user]; named {
		o.Names[user] = name
	}
	if lists, has := t.Users[user]; has {
		o.Users[user] = maps.Clone(lists)
	}
	return o
}

func (s *Service) tenant(c *Call, n need) (*policy.Tenant, error) {
	if err := c.lacks(s.Table(), n); err != nil {
		return nil, err
	}
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	if !state.HasTenant(n.target.Tenant) {
		return nil, &policy.Unknown{What: "tenant", Name: n.target.Tenant}
	}
	return tenantOf(state, n.target.Tenant), nil
}

// Endpoints are those that the caller may read, by name.
func (s *Service) Endpoints(c *Call, p Page) ([]*policy.Endpoint, string, error) {
	state, err := s.readable(c, "endpoints.read", access.ReadEndpoints)
	if err != nil {
		return nil, "", err
	}
	var found []*policy.Endpoint
	for _, ep := range state.Endpoints {
		if c.sees(ep) {
			found = append(found, ep)
		}
	}
	slices.SortFunc(found, func(a, b *policy.Endpoint) int { return cmp.Compare(a.Name, b.Name) })
	page, next := cut(p, found, func(ep *policy.Endpoint) string { return ep.Name })
	return page, next, nil
}

// Endpoint is an endpoint. To a caller that may not read it there is none: what a
// tenant's own is and what is staff's, only the endpoint says.
func (s *Service) Endpoint(c *Call, name string) (*policy.Endpoint, error) {
	state, err := s.readable(c, "endpoint.read", access.ReadEndpoints)
	if err != nil {
		return nil, err
	}
	ep := state.Endpoint(name)
	if ep == nil || !c.sees(ep) {
		return nil, s.unread(c, "endpoint.read", []string{"endpoints/" + name}, &policy.Unknown{What: "endpoint", Name: name})
	}
	return ep, nil
}

// Switched reports whether filtering is off, and where a file says so.
func (s *Service) Switched(c *Call) (off bool, at policy.Pos, err error) {
	if err := s.Permit(c, access.ReadStatus, whole); err != nil {
		return false, policy.Pos{}, err
	}
	state, err := s.state()
	if err != nil {
		return false, policy.Pos{}, err
	}
	return state.FilteringOff, state.FilteringAt, nil
}

// Export is what the caller may read of the lists and of the tenants' records: of
// one tenant, or of all where the tenant is "". The records are given also where
// files own them. A tenant's caller that may write lists gets those that it may.
func (s *Service) Export(c *Call, tenant string) (policy.Image, error) {
	state, err := s.readable(c, "export", access.ReadLists)
	if err != nil {
		return policy.Image{}, err
	}
	if tenant != "" {
		if _, err := s.Tenant(c, tenant); err != nil {
			return policy.Image{}, err
		}
	}
	i := policy.Image{Lists: map[policy.Place]*policy.List{}, Tenants: map[string]*policy.TenantRecord{}}
	for at, l := range state.Lists() {
		if (tenant == "" || at.Tenant == tenant) && c.reads(at) && c.applies(state, at) {
			i.Lists[at] = l
		}
	}
	for id, t := range state.Tenants.All() {
		if (tenant == "" || id == tenant) && c.who().May(access.ReadTenants, ofTenant(id)) {
			i.Tenants[id] = t.AsRecord()
		}
	}
	return i, nil
}

// applies reports whether the caller could send a list back that it reads. What is
// staff's to write reads for a tenant's own callers, and would be refused them.
func (c *Call) applies(s *policy.State, at policy.Place) bool {
	return c.who().Tenant == "" || !c.maySome(access.WriteLists) || c.lacks(&policy.Table{State: s}, listNeeds(at, true)...) == nil
}
