package access

import (
	"fmt"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// grant is a right: these actions, that far.
type grant struct {
	reach
	actions actions
}

// ownLists are the resources whose lists a user may keep of its own.
var ownLists = []string{"dataAccess", "managementAPI"}

// within are the grants of some actions in a reach. A user's are narrower: of its
// lists it has two.
func (a actions) within(r reach) []grant {
	switch {
	case a == 0:
		return nil
	case r.scope != policy.ScopeUser:
		return []grant{{r, a}}
	}
	lists := r
	lists.resources = ownLists
	return []grant{{lists, a & onLists}, {r, a &^ onLists}}
}

// grants are what k's role and permissions come to. What does not fit together,
// which check would not let in, comes to nothing.
func (k *Key) grants() []grant {
	all := k.roleGrants()
	for _, text := range k.Permissions {
		all = append(all, k.permissionGrants(text)...)
	}
	return all
}

func (k *Key) roleGrants() []grant {
	own := reachOf(k.Tenant, k.User)
	if !slices.Contains(k.Role.scopes(), own.scope) {
		return nil
	}
	return k.Role.actions().within(own)
}

func (k *Key) permissionGrants(text string) []grant {
	p, wrong := parsePermission(text)
	if wrong != nil || p.misfit(k) != "" {
		return nil
	}
	if text == hdpLists && !slices.Contains(k.Permissions, hdpAccess) {
		return nil // HDP lets nobody use 29 without 11
	}
	return p.grants(reachOf(k.Tenant, k.User))
}

// MayGrant says in Mistakes what k would have beyond the caller's own: rights,
// tenant, user, time. It is nil where that is nothing. To ask it of a key as it is
// to become also keeps a caller from changing one that may more than itself.
func (c *Caller) MayGrant(k *Key) error {
	var ms Mistakes
	if c.Tenant != "" && k.Tenant != c.Tenant {
		ms.add("tenant", "use "+c.Tenant, "%q is not your own", k.Tenant)
	}
	if c.User != "" && k.User != c.User {
		ms.add("user", "use "+c.User, "%q is not your own", k.User)
	}
	if c.outlivedBy(k) {
		end := c.Key.Expires.UTC().Format(time.RFC3339)
		ms.add("expires", "end it by then", "is after your own key's end, %s", end)
	}
	if a, lacking := c.lacks(k.roleGrants()); lacking {
		ms.add("role", "", "%s includes %s, which you have not", k.Role, a)
	}
	for i, text := range k.Permissions {
		if a, lacking := c.lacks(k.permissionGrants(text)); lacking {
			ms.add(fmt.Sprintf("permissions[%d]", i), "", "%s includes %s, which you have not", text, a)
		}
	}
	return ms.err()
}

func (c *Caller) outlivedBy(k *Key) bool {
	return c.Key != nil && !c.Key.Expires.IsZero() && (k.Expires.IsZero() || k.Expires.After(c.Key.Expires))
}

// lacks finds the first action that the caller may not do everywhere that one of
// the grants reaches.
func (c *Caller) lacks(grants []grant) (Action, bool) {
	for _, g := range grants {
		for _, t := range g.targets() {
			for a := range actionCount {
				if g.actions.has(a) && !c.May(a, t) {
					return a, true
				}
			}
		}
	}
	return 0, false
}
