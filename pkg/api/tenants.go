package api

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/api/body"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// ListTenants tells the tenants that the caller may see.
func (n *native) ListTenants(w http.ResponseWriter, r *http.Request) {
	var p v1.ListTenantsParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		all, _, err := n.Control.Tenants(q.call, control.Page{After: q.page.cursor})
		if err != nil {
			return nil, err
		}
		page := v1.TenantPage{Tenants: []v1.Tenant{}}
		for _, t := range all {
			if !matches(t, &p) {
				continue
			}
			if len(page.Tenants) == q.page.limit {
				page.Next = q.more(page.Tenants[q.page.limit-1].ID)
				break
			}
			page.Tenants = append(page.Tenants, tenantOf(t))
		}
		return page, nil
	})
}

func matches(t *policy.Tenant, p *v1.ListTenantsParams) bool {
	if o := owner(p.Owner); o != nil && *o != t.Owner {
		return false
	}
	text := strings.ToLower(value(p.Q))
	return slices.ContainsFunc(append([]string{t.ID, t.Name}, t.Hosts...), func(s string) bool {
		return strings.Contains(strings.ToLower(s), text)
	})
}

// GetTenant tells a tenant's record.
func (n *native) GetTenant(w http.ResponseWriter, r *http.Request, tenant v1.TenantID) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		t, err := n.Control.Tenant(q.call, tenant)
		if err != nil {
			return nil, err
		}
		q.tag(control.TenantTag(t))
		return tenantOf(t), nil
	})
}

// PutTenant makes a tenant, or replaces its record.
func (n *native) PutTenant(w http.ResponseWriter, r *http.Request, tenant v1.TenantID) {
	n.write(w, r, &v1.PutTenantParams{}, func(q *request) ([]control.Change, error) {
		if err := pathID("tenant", tenant); err != nil {
			return nil, err
		}
		var spec tenantSpec
		if err := q.body(body.Object(spec.fields("selfService"))); err != nil {
			return nil, err
		}
		return one(control.EditTenant(tenant, spec.replace))
	})
}

// DeleteTenant takes a tenant away with all its lists.
func (n *native) DeleteTenant(w http.ResponseWriter, r *http.Request, tenant v1.TenantID) {
	n.write(w, r, &v1.DeleteTenantParams{}, func(*request) ([]control.Change, error) {
		return one(control.DeleteTenant(tenant))
	})
}

// ListUsers tells a tenant's users.
func (n *native) ListUsers(w http.ResponseWriter, r *http.Request, tenant v1.TenantID) {
	n.handle(w, r, &v1.ListUsersParams{}, func(q *request) (any, error) {
		t, err := n.Control.Tenant(q.call, tenant)
		if err != nil {
			return nil, err
		}
		page := v1.UserPage{Users: []v1.User{}}
		for _, user := range usersOf(t) {
			if user <= q.page.cursor {
				continue
			}
			if len(page.Users) == q.page.limit {
				page.Next = q.more(page.Users[q.page.limit-1].ID)
				break
			}
			page.Users = append(page.Users, userOf(t, user))
		}
		return page, nil
	})
}

// GetUser tells a user of a tenant.
func (n *native) GetUser(w http.ResponseWriter, r *http.Request, tenant v1.TenantID, user v1.UserID) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		t, err := n.Control.User(q.call, tenant, user)
		if err != nil {
			return nil, err
		}
		q.tag(control.UserTag(t, user))
		return userOf(t, user), nil
	})
}

// PutUser makes a user, or gives it another name.
func (n *native) PutUser(w http.ResponseWriter, r *http.Request, tenant v1.TenantID, user v1.UserID) {
	n.write(w, r, &v1.PutUserParams{}, func(q *request) ([]control.Change, error) {
		if err := pathID("user", user); err != nil {
			return nil, err
		}
		var name string
		if err := q.body(body.Object(body.Fields{"name": body.Line(&name, policy.MaxName)})); err != nil {
			return nil, err
		}
		return one(control.PutUser(tenant, user, name))
	})
}

// DeleteUser takes a user away with its lists.
func (n *native) DeleteUser(w http.ResponseWriter, r *http.Request, tenant v1.TenantID, user v1.UserID) {
	n.write(w, r, &v1.DeleteUserParams{}, func(*request) ([]control.Change, error) {
		return one(control.DeleteUser(tenant, user))
	})
}

// pathID refuses an id that nothing could have.
func pathID(name, text string) error {
	if err := validID(text); err != nil {
		m, _ := err.(*body.Mistake)
		return wrong(name, m.What, m.Remedy)
	}
	return nil
}

// tenantSpec is a tenant's record as it is written, and which parts of it were.
type tenantSpec struct {
	name        string
	hosts       []string
	selfService bool
	attributes  json.RawMessage

	named, hosted, served, attributed body.Said
}

// fields are the record's, in which self_service has this name.
func (t *tenantSpec) fields(selfService string) body.Fields {
	return body.Fields{
		"name":       given(&t.named, body.Line(&t.name, policy.MaxName)),
		"hosts":      given(&t.hosted, body.Each(&t.hosts, func(into *string) body.Shape { return parsed(into, policy.CanonicalHost) })),
		selfService:  given(&t.served, body.Flag(&t.selfService)),
		"attributes": given(&t.attributed, body.RawObject(&t.attributes)),
	}
}

// said reports whether anything of the record was written.
func (t *tenantSpec) said() bool {
	return cmp.Or(t.named, t.hosted, t.served, t.attributed) != body.Absent
}

// apply changes what was written.
func (t *tenantSpec) apply(r *policy.TenantRecord) {
	if t.named != body.Absent {
		r.Name = t.name
	}
	if t.hosted != body.Absent {
		r.Hosts = t.hosts
	}
	if t.served != body.Absent {
		r.StaffOnly = !t.selfService
	}
	if t.attributed != body.Absent {
		r.Attributes = t.attributes
	}
}

// replace makes the record what was written. What is not the tenant's own to say
// stays where nothing was written of it: who corrects a name hands it no lists.
func (t *tenantSpec) replace(r *policy.TenantRecord) {
	r.Name = ""
	t.apply(r)
}

func tenantOf(t *policy.Tenant) v1.Tenant {
	told := v1.Tenant{
		ID: t.ID, Name: t.Name, Hosts: t.Hosts, SelfService: !t.StaffOnly, Attributes: t.Attributes,
		Owner: t.Owner, At: v1.Pos(t.Pos), Users: len(usersOf(t)), Lists: len(t.Lists), Etag: etag(control.TenantTag(t)),
	}
	for _, lists := range t.Users {
		told.Lists += len(lists)
	}
	return told
}

// usersOf are a tenant's users, sorted: those that have a record, and those that
// have lists.
func usersOf(t *policy.Tenant) []string {
	users := slices.Collect(maps.Keys(t.Users))
	users = slices.AppendSeq(users, maps.Keys(t.Names))
	slices.Sort(users)
	return slices.Compact(users)
}

func userOf(t *policy.Tenant, user string) v1.User {
	return v1.User{
		ID: user, Tenant: t.ID, Name: t.Names[user], Owner: t.Owner, Lists: len(t.Users[user]),
		Etag: etag(control.UserTag(t, user)),
	}
}
