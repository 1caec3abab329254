package policy

import "maps"

// WithStored is s with the records of an image in the place of all that the
// store owned in it.
func (s *State) WithStored(i Image) *State {
	d := NewDraft(s)
	d.state.System = filed(s.System)
	edits := map[string]*Tenant{}
	for id, t := range s.Tenants.All() {
		if w := t.filed(); w.empty() {
			edits[id] = nil
		} else if !w.Same(t) {
			edits[id] = w
		}
	}
	d.state.Tenants = s.Tenants.Edit(edits)
	d.state.Endpoints = filedEndpoints(s.Endpoints)
	if s.FilteringAt.File == "" {
		d.state.FilteringOff = i.Filtering != nil && *i.Filtering
	}
	d.adopt(i)
	return &d.state
}

// adopt puts the records of an image where no file has its own.
func (d *Draft) adopt(i Image) {
	for id, r := range i.Tenants {
		if t := d.tenant(id); r != nil && t.Owner == "" {
			d.put(t.With(r))
		}
	}
	for at, l := range i.Lists {
		if d.state.ListAt(at) == nil {
			d.force(at, l)
		}
	}
	for name, ep := range i.Endpoints {
		_ = d.restoreEndpoint(name, ep) // what a file says by now stays the file's
	}
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

func filed(lists map[string]*List) map[string]*List {
	rest := maps.Clone(lists)
	maps.DeleteFunc(rest, func(_ string, l *List) bool { return l.Owner == "" })
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
	for _, ep := range s.Endpoints {
		if ep.Pos.File == "" || ep.Secured {
			i.Endpoints[ep.Name] = ep
		}
	}
	if s.FilteringAt.File == "" && s.FilteringOff {
		i.Filtering = &s.FilteringOff
	}
	return i
}
