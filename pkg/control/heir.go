package control

import (
	"fmt"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// heirs refuses to take away a tenant or a user whose keys still open: they would
// be the keys of whoever has the id next. No force helps: to block them is an act
// of its own, and told as one.
func (w *writing) heirs(t policy.Transition) error {
	before, after := t.Before.State, t.After.State
	for c := range after.Tenants.Since(before.Tenants) {
		if !bereft(c) {
			continue
		}
		left := func(k *access.Key) bool {
			return k.Tenant == c.Name && k.Status == access.Active && owned(before, k) && !owned(after, k)
		}
		if keys, _ := w.cfg.Keys.List(access.Query{Where: left}); len(keys) > 0 {
			return keysOutlive(keys)
		}
	}
	return nil
}

// bereft reports whether a tenant is gone, or one of its users.
func bereft(c policy.Change[policy.Tenant]) bool {
	if c.Before == nil || c.After == nil {
		return c.Before != nil
	}
	for id := range c.Before.Names {
		if !c.After.HasUser(id) {
			return true
		}
	}
	for id := range c.Before.Users {
		if !c.After.HasUser(id) {
			return true
		}
	}
	return false
}

// owned reports whether the tenant and the user that a key is bound to are there.
func owned(s *policy.State, k *access.Key) bool {
	if k.User == "" {
		return s.HasTenant(k.Tenant)
	}
	t := s.Tenants.Get(k.Tenant)
	return t != nil && t.HasUser(k.User)
}

func keysOutlive(keys []*access.Key) *Refusal {
	k := keys[0]
	r := refuse(Conflict, "%s has a key that is not blocked", targetName(k.Target()))
	if more := len(keys) - 1; more > 0 {
		r.What += fmt.Sprintf(", and %d more", more)
	}
	r.Names, r.Remedy = listed(targetName(k.Target())), "block its keys first, or delete them"
	return r
}
