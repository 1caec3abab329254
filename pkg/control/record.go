package control

import (
	"bytes"
	"maps"
	"slices"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// EditTenant changes a tenant's record as change does it to a copy, and makes the
// tenant where there is none. Hosts and attributes are system admins' alone, and
// so are users.
func EditTenant(id string, change func(*policy.TenantRecord)) Change {
	ch := tenantChange("tenant.put", id, access.WriteTenants)
	ch.edit = func(e *edit) error { return e.editRecord(id, change) }
	return ch
}

// Describe is EditTenant for what says again what is there: whoever may read the
// record may ask, and to change it takes more.
func Describe(id string, change func(*policy.TenantRecord)) Change {
	ch := EditTenant(id, change)
	ch.needs = ch.reads
	return ch
}

// Ensure makes a tenant where there is none, and a user of it unless that is "".
// Whoever may read of them may ask; to make them takes more.
func Ensure(tenant, user string) Change {
	ch := tenantChange("tenant.put", tenant, access.ReadTenants)
	if user != "" {
		ch = userChange("user.put", tenant, user)
		ch.needs = ch.reads
	}
	ch.edit = func(e *edit) error { return e.ensure(tenant, user) }
	return ch
}

func (e *edit) ensure(tenant, user string) error {
	if tenant != "" && !e.State().HasTenant(tenant) {
		if err := e.editRecord(tenant, func(*policy.TenantRecord) {}); err != nil {
			return err
		}
	}
	if t := e.State().Tenants.Get(tenant); user == "" || t != nil && t.HasUser(user) {
		return nil
	}
	return e.editRecord(tenant, func(r *policy.TenantRecord) { r.Users[user] = "" })
}

// DeleteTenant takes a tenant away with all its lists.
func DeleteTenant(id string) Change {
	ch := tenantChange("tenant.delete", id, access.WriteTenants)
	ch.edit = func(e *edit) error {
		was := e.State().Tenants.Get(id).Record()
		if err := e.permit(recordNeeds(id, was, nil)...); err != nil {
			return err
		}
		if err := e.unowned(id, ""); err != nil {
			return err
		}
		return e.DropTenant(id)
	}
	return ch
}

// PutUser names a user of a tenant; "" is a user without a name.
func PutUser(tenant, user, name string) Change {
	ch := userChange("user.put", tenant, user)
	ch.edit = func(e *edit) error {
		if !e.State().HasTenant(tenant) {
			return &policy.Unknown{What: "tenant", Name: tenant}
		}
		return e.editRecord(tenant, func(r *policy.TenantRecord) { r.Users[user] = name })
	}
	return ch
}

// DeleteUser takes a user away with all its lists.
func DeleteUser(tenant, user string) Change {
	ch := userChange("user.delete", tenant, user)
	ch.edit = func(e *edit) error {
		if err := e.unowned(tenant, user); err != nil {
			return err
		}
		return e.DropUser(tenant, user)
	}
	return ch
}

// PutEndpoint makes an endpoint, or replaces it. What one asks beside the address
// stays as it is: that is Secure's.
func PutEndpoint(ep *policy.Endpoint) Change {
	ch := endpointChange("endpoint.put", ep.Name, access.WriteEndpoints)
	ch.edit = func(e *edit) error {
		next := *ep
		next.Policies, next.Verify, next.Security, next.Secured = nil, policy.VerifyAnd, nil, false
		if was := e.State().Endpoint(ep.Name); was != nil {
			next.Policies, next.Verify, next.Security, next.Secured = was.Policies, was.Verify, was.Security, was.Secured
		}
		return e.SetEndpoint(ep.Name, &next)
	}
	return ch
}

// DeleteEndpoint takes an endpoint of the store's away.
func DeleteEndpoint(name string) Change {
	ch := endpointChange("endpoint.delete", name, access.WriteEndpoints)
	ch.edit = func(e *edit) error {
		if e.State().Endpoint(name) == nil {
			return &policy.Unknown{What: "endpoint", Name: name}
		}
		return e.SetEndpoint(name, nil)
	}
	return ch
}

// Secure changes an endpoint's own list, what it asks beside the address, and how
// these are joined, as change does it to a copy.
func Secure(name string, change func(*policy.Endpoint, Moment) error) Change {
	ch := endpointChange("endpoint.secure", name, access.WriteSecurity)
	ch.tag = func(s *policy.State) *Version {
		ep := s.Endpoint(name)
		if ep == nil {
			return nil
		}
		return &Version{Tag: ep.SecurityTag(), List: ep.Policies}
	}
	ch.place = &policy.Place{Scope: policy.ScopeEndpoint, Endpoint: name}
	ch.edit = func(e *edit) error {
		was := e.State().Endpoint(name)
		switch {
		case was == nil:
			return &policy.Unknown{What: "endpoint", Name: name}
		case was.SaysSecurity():
			return &policy.Owned{What: "the security of endpoint " + name, File: was.Pos.File}
		}
		next := *was
		if err := change(&next, e.Moment); err != nil {
			return err
		}
		if err := e.fits(*ch.place, was.Policies, next.Policies); err != nil {
			return err
		}
		return e.Secure(name, next.Policies, next.Verify, next.Security)
	}
	return ch
}

// Switch turns filtering by system, tenant and user lists on or off.
func Switch(off bool) Change {
	return Change{
		verb: "filtering.switch", name: "filtering",
		needs: []need{{access.SwitchFiltering, whole}}, reads: []need{{access.ReadStatus, whole}},
		tag:  func(s *policy.State) *Version { return &Version{Tag: SwitchTag(s.FilteringOff)} },
		edit: func(e *edit) error { return e.SetFiltering(off) },
	}
}

// SwitchTag names the content of the switch.
func SwitchTag(off bool) string {
	if off {
		return "off"
	}
	return "on"
}

func tenantChange(verb, id string, a access.Action) Change {
	return Change{
		verb: verb, name: "tenants/" + id,
		needs: []need{{a, ofTenant(id)}}, reads: []need{{access.ReadTenants, ofTenant(id)}},
		tag: func(s *policy.State) *Version {
			t := s.Tenants.Get(id)
			if t == nil {
				return nil
			}
			return &Version{Tag: TenantTag(t)}
		},
	}
}

// TenantTag names the content of a tenant's record, whoever owns it.
func TenantTag(t *policy.Tenant) string {
	return t.AsRecord().Tag()
}

// userChange is one of a user: it is kept in its tenant's record, and goes by
// what is said of the user alone.
func userChange(verb, tenant, user string) Change {
	ch := tenantChange(verb, tenant, access.WriteUsers)
	ch.name += "/users/" + user
	ch.reads = []need{{access.ReadTenants, ofUser(tenant, user)}}
	ch.tag = func(s *policy.State) *Version {
		t := s.Tenants.Get(tenant)
		if t == nil || !t.HasUser(user) {
			return nil
		}
		return &Version{Tag: UserTag(t, user)}
	}
	return ch
}

// UserTag names the content of what is said of a user.
func UserTag(t *policy.Tenant, user string) string {
	return (&policy.TenantRecord{Users: map[string]string{user: t.Names[user]}}).Tag()
}

func endpointChange(verb, name string, a access.Action) Change {
	return Change{
		verb: verb, name: "endpoints/" + name,
		needs: []need{{a, ofEndpoint(name)}}, reads: []need{{access.ReadEndpoints, ofEndpoint(name)}},
		tag: func(s *policy.State) *Version {
			ep := s.Endpoint(name)
			if ep == nil {
				return nil
			}
			return &Version{Tag: ep.Tag(), List: ep.Policies}
		},
	}
}

func (e *edit) editRecord(id string, change func(*policy.TenantRecord)) error {
	was := e.State().Tenants.Get(id)
	old := was.Record()
	if was != nil && was.Owner != "" {
		old = was.AsRecord()
	}
	next := policy.TenantRecord{}
	if old != nil {
		next = *old
	}
	next.Hosts, next.Users = slices.Clone(next.Hosts), maps.Clone(next.Users)
	if next.Users == nil {
		next.Users = map[string]string{}
	}
	change(&next)
	if len(next.Users) == 0 {
		next.Users = nil
	}
	if old != nil && old.Tag() == next.Tag() {
		return nil
	}
	if err := e.permit(recordNeeds(id, old, &next)...); err != nil {
		return err
	}
	return e.SetRecord(id, &next)
}

// recordNeeds are the rights it takes to make one record of another; nil is none.
func recordNeeds(id string, old, next *policy.TenantRecord) []need {
	var needs []need
	if made := old == nil || next == nil; made || old.Name != next.Name || old.StaffOnly != next.StaffOnly {
		needs = append(needs, need{access.WriteTenants, ofTenant(id)})
	}
	if old == nil {
		old = &policy.TenantRecord{}
	}
	if next == nil {
		next = &policy.TenantRecord{}
	}
	if !slices.Equal(old.Hosts, next.Hosts) || !bytes.Equal(old.Attributes, next.Attributes) {
		needs = append(needs, need{access.WriteHosts, ofTenant(id)})
	}
	if !maps.Equal(old.Users, next.Users) {
		needs = append(needs, need{access.WriteUsers, ofTenant(id)})
	}
	return needs
}

// unowned refuses to take away a tenant, or one of its users, of whom a file says
// something: it would say it again.
func (e *edit) unowned(id, user string) error {
	t := e.State().Tenants.Get(id)
	switch {
	case t == nil:
		return &policy.Unknown{What: "tenant", Name: id}
	case user != "" && !t.HasUser(user):
		return &policy.Unknown{What: "user", Name: user}
	case t.Owner != "" && user == "":
		return &policy.Owned{What: "tenant " + id, File: t.Owner}
	}
	if _, named := t.Names[user]; named && t.Owner != "" {
		return &policy.Owned{What: "user " + user, File: t.Owner}
	}
	return nil
}
