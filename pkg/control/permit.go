package control

import (
	"errors"
	"strconv"
	"strings"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// need is a right that something takes.
type need struct {
	action access.Action
	target access.Target
}

// whole is the system as a target.
var whole = access.Target{Scope: policy.ScopeSystem}

func ofTenant(id string) access.Target {
	return access.Target{Scope: policy.ScopeTenant, Tenant: id}
}

func ofUser(tenant, user string) access.Target {
	return access.Target{Scope: policy.ScopeUser, Tenant: tenant, User: user}
}

func ofEndpoint(name string) access.Target {
	return access.Target{Scope: policy.ScopeEndpoint, Endpoint: name}
}

// Permit asks whether the caller may do something that is not this package's,
// by now, and tells the journal where it may not.
func (s *Service) Permit(c *Call, a access.Action, t access.Target) error {
	now, err := s.again(c)
	if err == nil {
		err = now.lacks(s.Table(), need{a, t})
	}
	return s.refused(c, a.String(), listed(targetName(t)), err)
}

// again is a call with the rights that its key has by now. What a request does late
// it does by these: a key that is blocked meanwhile finishes nothing.
func (s *Service) again(c *Call) (*Call, error) {
	who, err := s.cfg.Keys.Again(c.who())
	if err != nil {
		return nil, &Refusal{Kind: Forbidden, What: "key " + c.who().Name + " is not good any more", cause: err}
	}
	now := *c
	now.Caller = who
	return &now, nil
}

// Do does what is not this package's for a caller who has this right on the whole
// system. It is told in the journal, and to the caller, like any other refusal.
func (s *Service) Do(c *Call, a access.Action, f func() error) error {
	err := c.lacks(s.Table(), need{a, whole})
	if err == nil {
		err = f()
	}
	return s.refused(c, a.String(), listed(targetName(whole)), err)
}

// lacks is the refusal of the first right that the caller does not have.
func (c *Call) lacks(t *policy.Table, needs ...need) error {
	for _, n := range needs {
		if t != nil && n.target.Tenant != "" {
			tenant := t.State.Tenants.Get(n.target.Tenant)
			n.target.StaffOnly = tenant != nil && tenant.StaffOnly
		}
		if !c.who().May(n.action, n.target) {
			return &Refusal{
				Kind: Forbidden, Names: listed(targetName(n.target)),
				What: strings.TrimSpace(c.who().Name + " may not " + doing(n.action) + " " + targetName(n.target)),
			}
		}
	}
	return nil
}

// doing is an action in words: "lists:write" is "write lists of".
func doing(a access.Action) string {
	what, verb, _ := strings.Cut(a.String(), ":")
	return verb + " " + what + " of"
}

// targetName is a target as a caller would write it.
func targetName(t access.Target) string {
	switch {
	case t.Scope == policy.ScopeSystem && t.Resource == "":
		return "system"
	case t.Scope == policy.ScopeTenant && t.Resource == "":
		return "tenants/" + t.Tenant
	case t.Scope == policy.ScopeUser && t.Resource == "":
		return "tenants/" + t.Tenant + "/users/" + t.User
	}
	return policy.Place{Scope: t.Scope, Tenant: t.Tenant, User: t.User, Endpoint: t.Endpoint, Resource: t.Resource}.String()
}

// unread is why something cannot be read. The journal is told where that is for
// want of rights: what is not there was not kept from anybody.
func (s *Service) unread(c *Call, action string, objects []string, err error) error {
	if err = refusalOf(err); err == nil {
		return nil
	}
	if r, ok := errors.AsType[*Refusal](err); !ok || r.Kind != Forbidden {
		return err
	}
	return s.refused(c, action, objects, err)
}

// refused tells the journal of what was refused, and the caller what it may know.
// Nil is passed on.
func (s *Service) refused(c *Call, action string, objects []string, err error) error {
	if err == nil {
		return nil
	}
	err = refusalOf(err)
	s.cfg.Log.Refused(audit.Record{
		Actor: c.actor(), Action: action, Objects: objects, Tenants: audit.TenantsOf(objects),
		Origin: c.Origin, Reason: c.Reason, Forced: c.Force, Error: err.Error(), Trace: c.Trace,
	})
	return err
}

func (c *Call) actor() audit.Actor {
	who := c.who()
	a := audit.Actor{ID: who.ID, Name: who.Name, Tenant: who.Tenant, From: c.From}
	if who.Key == nil && who != &nobody {
		a.ID = "uid:" + strconv.Itoa(who.UID)
	}
	return a
}
