package policy

import "maps"

// HasUser reports whether the record or a list names a user.
func (t *Tenant) HasUser(id string) bool {
	_, named := t.Names[id]
	_, listed := t.Users[id]
	return named || listed
}

// tenant is a copy of a tenant to be edited, or the beginning of one.
func (d *Draft) tenant(id string) *Tenant {
	if t := d.state.Tenants.Get(id); t != nil {
		c := *t
		return &c
	}
	return &Tenant{ID: id}
}

func (d *Draft) putTenant(t *Tenant) {
	if t.Empty() {
		d.state.Tenants = d.state.Tenants.With(t.ID, nil)
		return
	}
	d.state.Tenants = d.state.Tenants.With(t.ID, t)
}

// SetRecord gives a tenant this record, and makes the tenant where there is
// none. A nil record takes away the one there is, and leaves the lists.
func (d *Draft) SetRecord(id string, r *TenantRecord) error {
	was := d.state.Tenants.Get(id)
	if was != nil && was.Owner != "" {
		return &Owned{"tenant " + id, was.Owner}
	}
	remember(d.before.Tenants, id, was.Record())
	d.putTenant(d.tenant(id).With(r))
	return nil
}

// DropTenant takes a tenant away with all its lists.
func (d *Draft) DropTenant(id string) error {
	t := d.state.Tenants.Get(id)
	if t == nil {
		return &Unknown{"tenant", id}
	}
	for resource := range t.Lists {
		if err := d.SetList(Place{Scope: ScopeTenant, Tenant: id, Resource: resource}, nil); err != nil {
			return err
		}
	}
	for user := range t.Users {
		if err := d.dropUserLists(t, user); err != nil {
			return err
		}
	}
	return d.SetRecord(id, nil)
}

// DropUser takes a user away with all its lists.
func (d *Draft) DropUser(tenant, user string) error {
	t := d.state.Tenants.Get(tenant)
	switch {
	case t == nil:
		return &Unknown{"tenant", tenant}
	case !t.HasUser(user):
		return &Unknown{"user", user}
	}
	if err := d.dropUserLists(t, user); err != nil {
		return err
	}
	r := t.Record()
	if r == nil {
		return nil
	}
	rest := *r
	rest.Users = maps.Clone(r.Users)
	delete(rest.Users, user)
	return d.SetRecord(tenant, &rest)
}

func (d *Draft) dropUserLists(t *Tenant, user string) error {
	for resource := range t.Users[user] {
		if err := d.SetList(Place{Scope: ScopeUser, Tenant: t.ID, User: user, Resource: resource}, nil); err != nil {
			return err
		}
	}
	return nil
}
