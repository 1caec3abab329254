package api

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// List is one list: where it counts, who owns it, how many entries it has.
type List struct {
	Name     string     `json:"name"` // scope and owner as a path: tenants/acme/dataAccess
	Scope    string     `json:"scope"`
	Tenant   string     `json:"tenant,omitempty"`
	User     string     `json:"user,omitempty"`
	Endpoint string     `json:"endpoint,omitempty"`
	Resource string     `json:"resource,omitempty"`
	State    string     `json:"state"`
	Owner    string     `json:"owner,omitempty"` // the file it stands in
	At       policy.Pos `json:"at,omitzero"`
	Orphaned bool       `json:"orphaned,omitempty"`
	Entries  int        `json:"entries"`
	Live     int        `json:"live"`
	Expired  int        `json:"expired"`
	Disabled int        `json:"disabled"`

	scope policy.Scope
}

// Lists is an answer with lists in it.
type Lists struct {
	Lists []List `json:"lists"`
}

// Dropped is the answer to dropping orphaned lists.
type Dropped struct {
	Lists []string `json:"lists"`
}

// listName is the one name a list has in every answer. Ids hold no slash, so no
// two lists share a name.
func listName(scope policy.Scope, tenant, user, endpoint, resource string) string {
	switch scope {
	case policy.ScopeSystem:
		return "system/" + resource
	case policy.ScopeTenant:
		return "tenants/" + tenant + "/" + resource
	case policy.ScopeUser:
		return "tenants/" + tenant + "/users/" + user + "/" + resource
	case policy.ScopeEndpoint:
		return "endpoints/" + endpoint
	}
	return ""
}

// lists yields every list of s, in no order and not named yet: most who look
// want few of them.
func lists(s *policy.State) iter.Seq2[List, *policy.List] {
	return func(yield func(List, *policy.List) bool) {
		each := func(of List, scope policy.Scope, m map[string]*policy.List) bool {
			of.scope = scope
			for resource, from := range m {
				of.Resource = resource
				if !yield(of, from) {
					return false
				}
			}
			return true
		}
		if !each(List{}, policy.ScopeSystem, s.System) {
			return
		}
		for id, t := range s.Tenants {
			if !each(List{Tenant: id}, policy.ScopeTenant, t.Lists) {
				return
			}
			for user, m := range t.Users {
				if !each(List{Tenant: id, User: user}, policy.ScopeUser, m) {
					return
				}
			}
		}
		for _, e := range s.Endpoints {
			if e.Policies != nil && !yield(List{scope: policy.ScopeEndpoint, Endpoint: e.Name}, e.Policies) {
				return
			}
		}
	}
}

// find are the lists of t that are wanted, counted, in the order of their names.
func find(t *policy.Table, wanted func(List, *policy.List) bool) []List {
	found := []List{}
	for l, from := range lists(t.State) {
		if wanted(l, from) {
			found = append(found, l.counted(from, t.Now))
		}
	}
	slices.SortFunc(found, func(a, b List) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// counted returns l named, and with what stands in from as of now.
func (l List) counted(from *policy.List, now time.Time) List {
	l.Name, l.Scope = listName(l.scope, l.Tenant, l.User, l.Endpoint, l.Resource), l.scope.String()
	l.State, l.Owner, l.At, l.Orphaned = from.State.String(), from.Owner, from.Pos, from.Orphaned
	l.Entries = len(from.Entries)
	for i := range from.Entries {
		switch e := &from.Entries[i]; {
		case e.Live(now):
			l.Live++
		case e.Disabled:
			l.Disabled++
		default:
			l.Expired++
		}
	}
	return l
}

// Orphaned are the lists of t whose file is gone; t may be nil.
func Orphaned(t *policy.Table) []List {
	if t == nil {
		return []List{}
	}
	return find(t, func(_ List, from *policy.List) bool { return from.Orphaned })
}
