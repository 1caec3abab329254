package hdp

import (
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// resources are those with lists here, in the order they are answered.
var resources = [...]string{"managementAPI", "adminAPI", "dataAccess", webUI}

// webUI is a resource of the system's alone.
const webUI = "webUI"

// request is one that is about lists.
type request struct {
	*Dialect
	w     http.ResponseWriter
	r     *http.Request
	call  *control.Call
	query url.Values
	at    policy.Place // of its lists, without a resource
}

// list is the place of one of the request's lists.
func (q *request) list(resource string) policy.Place {
	at := q.at
	at.Resource = resource
	return at
}

// resources are those with lists at the request's place.
func (q *request) resources() []string {
	if q.at.Scope == policy.ScopeSystem {
		return resources[:]
	}
	return resources[:3]
}

// action is what the request does to lists.
func (q *request) action() access.Action {
	if q.r.Method == http.MethodGet || q.r.Method == http.MethodHead {
		return access.ReadLists
	}
	return access.WriteLists
}

// may reports whether the caller may do it to the list at a place.
func (q *request) may(at policy.Place) bool { return q.call.Caller.May(q.action(), access.At(at)) }

// table is what is in force.
func (d *Dialect) table() (*policy.Table, error) {
	if t := d.control.Table(); t != nil {
		return t, nil
	}
	return nil, &control.Refusal{Kind: control.NotKept, What: "no policy is in force yet"}
}

// locate finds where the lists stand that a request is about.
type locate func(*request) (policy.Place, error)

func system(*request) (policy.Place, error) { return policy.Place{Scope: policy.ScopeSystem}, nil }

func tenant(q *request) (policy.Place, error) {
	return policy.Place{Scope: policy.ScopeTenant, Tenant: q.r.PathValue("id")}, nil
}

func (d *Dialect) userWithID(q *request) (policy.Place, error) {
	id := q.r.PathValue("id")
	return q.user(id, func(user, _ string) bool { return user == id })
}

// userNamed is the user that the query names, else the caller itself.
func (d *Dialect) userNamed(q *request) (policy.Place, error) {
	if q.query.Has("user") {
		name := q.query.Get("user")
		if name == "" { // which is what a user without a name is called
			return policy.Place{}, &control.Refusal{Kind: control.Invalid, What: "user is empty", Remedy: "name one, or leave it out"}
		}
		return q.user(name, func(user, called string) bool { return user == name || called == name })
	}
	who := q.call.Caller
	if who.User == "" {
		return policy.Place{}, &control.Refusal{
			Kind: control.Invalid, What: who.Name + " is no user and has no lists of its own", Remedy: "name a user, as in ?user=NAME",
		}
	}
	return policy.Place{Scope: policy.ScopeUser, Tenant: who.Tenant, User: who.User}, nil
}

// user is the one user that is meant, of the tenants that the caller administers,
// or the caller. Who administers nobody is not told whether there is such a user.
func (q *request) user(name string, is func(id, name string) bool) (policy.Place, error) {
	in, err := q.table()
	if err != nil {
		return policy.Place{}, err
	}
	var found []policy.Place
	for t := range within(in.State, q.call.Caller) {
		for _, id := range userIDs(t) {
			at := policy.Place{Scope: policy.ScopeUser, Tenant: t.ID, User: id, Resource: resources[0]}
			if is(id, t.Names[id]) && q.may(at) {
				at.Resource = ""
				found = append(found, at)
			}
		}
	}
	switch len(found) {
	case 0:
		if err := q.control.Permit(q.call, q.action(), administered(q.call.Caller)); err != nil {
			return policy.Place{}, err
		}
		return policy.Place{}, &policy.Unknown{What: "user", Name: name}
	case 1:
		return found[0], nil
	}
	return policy.Place{}, several(name, found)
}

// within are the tenants with a record or lists that a caller may have to do with.
func within(s *policy.State, who *access.Caller) iter.Seq[*policy.Tenant] {
	return func(yield func(*policy.Tenant) bool) {
		if who.Tenant != "" {
			if t := s.Tenants.Get(who.Tenant); t != nil {
				yield(t)
			}
			return
		}
		for _, t := range s.Tenants.All() {
			if !yield(t) {
				return
			}
		}
	}
}

// userIDs are a tenant's users, those of its record and those with lists.
func userIDs(t *policy.Tenant) []string {
	ids := slices.AppendSeq(slices.Collect(maps.Keys(t.Names)), maps.Keys(t.Users))
	slices.Sort(ids)
	return slices.Compact(ids)
}

func several(name string, found []policy.Place) error {
	var tenants []string
	for _, at := range found {
		tenants = append(tenants, fmt.Sprintf("%s of tenant %s", at.User, at.Tenant))
	}
	slices.Sort(tenants)
	return &control.Refusal{
		Kind: control.Conflict, What: fmt.Sprintf("user %q may be %s", name, strings.Join(tenants, " or ")),
		Remedy: "call as the tenant's own administrator, or use the native API",
	}
}

// administered is the whole of what a caller may administer.
func administered(who *access.Caller) access.Target {
	if who.Tenant != "" {
		return access.Target{Scope: policy.ScopeTenant, Tenant: who.Tenant}
	}
	return access.Target{Scope: policy.ScopeSystem}
}
