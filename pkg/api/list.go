package api

import (
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
}

// Lists is an answer with lists in it.
type Lists struct {
	Lists []List `json:"lists"`
}

// Dropped is the answer to dropping orphaned lists.
type Dropped struct {
	Lists []string `json:"lists"`
}

// find are the lists of t that are wanted, in the order of their names.
func find(t *policy.Table, wanted func(policy.Place, *policy.List) bool) []List {
	found := []List{}
	for at, l := range t.State.Lists() {
		if wanted(at, l) {
			found = append(found, listAt(at, l, t.Now))
		}
	}
	slices.SortFunc(found, func(a, b List) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// listAt is what stands in l as of now.
func listAt(at policy.Place, l *policy.List, now time.Time) List {
	a := List{
		Name: at.String(), Scope: at.Scope.String(),
		Tenant: at.Tenant, User: at.User, Endpoint: at.Endpoint, Resource: at.Resource,
		State: l.State.String(), Owner: l.Owner, At: l.Pos, Orphaned: l.Orphaned, Entries: len(l.Entries),
	}
	for i := range l.Entries {
		switch e := &l.Entries[i]; {
		case e.Live(now):
			a.Live++
		case e.Disabled:
			a.Disabled++
		default:
			a.Expired++
		}
	}
	return a
}

// Orphaned are the lists of t whose file is gone; t may be nil.
func Orphaned(t *policy.Table) []List {
	if t == nil {
		return []List{}
	}
	return find(t, func(_ policy.Place, l *policy.List) bool { return l.Orphaned })
}
