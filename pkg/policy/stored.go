package policy

import (
	"maps"
	"slices"
)

// WithStored is s with the records of an image in the place of all that the
// store owned in it, and of what files have: they may have given it up since.
func (s *State) WithStored(i Image) *State {
	next := *s
	next.System = filed(s.System)
	tenants := map[string]*Tenant{}
	for id, t := range s.Tenants.All() {
		if w := t.filed(); !w.Same(t) {
			tenants[id] = w
		}
	}
	to := taking{state: s, tenants: tenants}
	for id, r := range i.Tenants {
		if r != nil {
			tenants[id] = to.tenant(id).With(r)
			tenants[id].Owner = ""
		}
	}
	for at, l := range i.Lists {
		if at.Scope == ScopeSystem {
			putList(next.System, at.Resource, l)
		} else {
			to.list(at, l)
		}
	}
	for id, t := range tenants {
		if t.Empty() {
			tenants[id] = nil
		}
	}
	next.Tenants = s.Tenants.Edit(tenants)
	next.Endpoints, next.Dormant = withStored(filedEndpoints(s.Endpoints), i.Endpoints)
	if i.Filtering != nil || s.FilteringAt.File == "" {
		next.FilteringOff = i.Filtering != nil && *i.Filtering
		next.FilteringAt = Pos{}
	}
	return &next
}

// taking is tenants on their way to what the store has of them: those that differ
// from the state's are copies, to be written to.
type taking struct {
	state   *State
	tenants map[string]*Tenant
}

func (t taking) tenant(id string) *Tenant {
	if known := t.tenants[id]; known != nil {
		return known
	}
	own := &Tenant{ID: id, Lists: map[string]*List{}}
	if is := t.state.Tenants.Get(id); is != nil {
		own = is.filed()
	}
	t.tenants[id] = own
	return own
}

func (t taking) list(at Place, l *List) {
	own := t.tenant(at.Tenant)
	if at.Scope == ScopeTenant {
		if own.Lists == nil {
			own.Lists = map[string]*List{}
		}
		putList(own.Lists, at.Resource, l)
		return
	}
	if own.Users == nil {
		own.Users = map[string]map[string]*List{}
	}
	if own.Users[at.User] == nil {
		own.Users[at.User] = map[string]*List{}
	}
	putList(own.Users[at.User], at.Resource, l)
}

func putList(lists map[string]*List, resource string, l *List) {
	if l != nil {
		lists[resource] = l
	}
}

// withStored are endpoints with what the store has of them, and the store's own;
// and those of which the store has the security alone.
func withStored(all []*Endpoint, stored map[string]*Endpoint) (with, dormant []*Endpoint) {
	known := make(map[string]bool, len(all))
	for n, ep := range all {
		known[ep.Name] = true
		switch of := stored[ep.Name]; {
		case of == nil:
		case of.Pos.File == "":
			all[n] = of
		case of.Secured:
			all[n] = ep.SecuredAs(of)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		switch ep := stored[name]; {
		case ep == nil || known[name]:
		case ep.Pos.File == "":
			all = append(all, ep)
		case ep.Secured:
			dormant = append(dormant, ep)
		}
	}
	return all, dormant
}

// filed is t without what the store owns.
func (t *Tenant) filed() *Tenant {
	w := t
	if t.Stored {
		w = t.With(nil)
	}
	c := *w
	c.Lists = filed(t.Lists)
	c.Users = nil
	for user, lists := range t.Users {
		if rest := filed(lists); len(rest) > 0 || len(lists) == 0 {
			if c.Users == nil {
				c.Users = map[string]map[string]*List{}
			}
			c.Users[user] = rest
		}
	}
	return &c
}

// filed are the lists that stand in files, in a map of their own.
func filed(lists map[string]*List) map[string]*List {
	rest := make(map[string]*List, len(lists))
	for resource, l := range lists {
		if l.Owner != "" {
			rest[resource] = l
		}
	}
	return rest
}

func filedEndpoints(all []*Endpoint) []*Endpoint {
	var rest []*Endpoint
	for _, ep := range all {
		switch {
		case ep.Pos.File == "":
		case ep.Secured:
			c := *ep
			c.Policies, c.Verify, c.Security, c.Secured = nil, VerifyAnd, nil, false
			rest = append(rest, &c)
		default:
			rest = append(rest, ep)
		}
	}
	return rest
}

// Stored are the records of s that the store owns.
func (s *State) Stored() Image {
	i := Image{Lists: map[Place]*List{}, Tenants: map[string]*TenantRecord{}, Endpoints: map[string]*Endpoint{}}
	for at, l := range s.Lists() {
		if l.Owner == "" && at.Scope != ScopeEndpoint {
			i.Lists[at] = l
		}
	}
	for id, t := range s.Tenants.All() {
		if r := t.Record(); r != nil {
			i.Tenants[id] = r
		}
	}
	for _, ep := range slices.Concat(s.Endpoints, s.Dormant) {
		if ep.Pos.File == "" || ep.Secured {
			i.Endpoints[ep.Name] = ep
		}
	}
	if s.FilteringAt.File == "" && s.FilteringOff {
		i.Filtering = &s.FilteringOff
	}
	return i
}
