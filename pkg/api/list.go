package api

import (
	"iter"
	"maps"
	"slices"
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

// lists yields every list of s in the order it is judged and by name.
func lists(s *policy.State) iter.Seq2[List, *policy.List] {
	return func(yield func(List, *policy.List) bool) {
		each := func(of List, scope policy.Scope, m map[string]*policy.List) bool {
			for _, r := range slices.Sorted(maps.Keys(m)) {
				of.Resource = r
				if !yield(of.in(scope), m[r]) {
					return false
				}
			}
			return true
		}
		if !each(List{}, policy.ScopeSystem, s.System) {
			return
		}
		for _, id := range slices.Sorted(maps.Keys(s.Tenants)) {
			t := s.Tenants[id]
			if !each(List{Tenant: id}, policy.ScopeTenant, t.Lists) {
				return
			}
			for _, user := range slices.Sorted(maps.Keys(t.Users)) {
				if !each(List{Tenant: id, User: user}, policy.ScopeUser, t.Users[user]) {
					return
				}
			}
		}
		for _, e := range s.Endpoints {
			if e.Policies != nil && !yield(List{Endpoint: e.Name}.in(policy.ScopeEndpoint), e.Policies) {
				return
			}
		}
	}
}

// in returns l named as a list of scope.
func (l List) in(scope policy.Scope) List {
	l.Scope = scope.String()
	l.Name = listName(scope, l.Tenant, l.User, l.Endpoint, l.Resource)
	return l
}

// counted returns l with what stands in from, as of now.
func (l List) counted(from *policy.List, now time.Time) List {
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
	found := []List{}
	if t == nil {
		return found
	}
	for l, from := range lists(t.State) {
		if from.Orphaned {
			found = append(found, l.counted(from, t.Now))
		}
	}
	return found
}
