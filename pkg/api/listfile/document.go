package listfile

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Document is what one list file says: of a tenant, or of the system.
type Document struct {
	Tenant string               // "": the system
	Record *policy.TenantRecord // nil: nothing is said of it
	Lists  map[string]*policy.List
	Users  map[string]map[string]*policy.List
}

// One is the document of the list at a place, which must not be an endpoint's:
// those stand in no list file.
func One(at policy.Place, l *policy.List) Document {
	lists := map[string]*policy.List{at.Resource: l}
	if at.Scope == policy.ScopeUser {
		return Document{Tenant: at.Tenant, Users: map[string]map[string]*policy.List{at.User: lists}}
	}
	return Document{Tenant: at.Tenant, Lists: lists}
}

// Of are the documents of an image, the system's first and then the tenants' by
// id. It leaves out what list files have no place for: the names of users, and the
// endpoints' lists.
func Of(i policy.Image) iter.Seq[Document] {
	by := map[string]*Document{}
	of := func(tenant string) *Document {
		if by[tenant] == nil {
			by[tenant] = &Document{Tenant: tenant}
		}
		return by[tenant]
	}
	for at, l := range i.Lists {
		if at.Scope != policy.ScopeEndpoint {
			of(at.Tenant).add(at, l)
		}
	}
	for id, r := range i.Tenants {
		of(id).Record = r
	}
	return func(yield func(Document) bool) {
		for _, tenant := range slices.Sorted(maps.Keys(by)) {
			if !yield(*by[tenant]) {
				return
			}
		}
	}
}

func (d *Document) add(at policy.Place, l *policy.List) {
	if at.Scope != policy.ScopeUser {
		d.Lists = with(d.Lists, at.Resource, l)
		return
	}
	if d.Users == nil {
		d.Users = map[string]map[string]*policy.List{}
	}
	d.Users[at.User] = with(d.Users[at.User], at.Resource, l)
}

func with(lists map[string]*policy.List, resource string, l *policy.List) map[string]*policy.List {
	if lists == nil {
		lists = map[string]*policy.List{}
	}
	lists[resource] = l
	return lists
}

// file is a document with the keys that a list file has.
type file struct {
	System      bool                       `json:"system,omitempty" yaml:"system,omitempty"`
	Tenant      string                     `json:"tenant,omitempty" yaml:"tenant,omitempty"`
	Name        string                     `json:"name,omitempty" yaml:"name,omitempty"`
	Hosts       []string                   `json:"hosts,omitempty" yaml:"hosts,omitempty,flow"`
	SelfService *bool                      `json:"self_service,omitempty" yaml:"self_service,omitempty"`
	Attributes  attributes                 `json:"attributes,omitempty" yaml:"attributes,omitempty"`
	Lists       map[string]list            `json:"lists,omitzero" yaml:"lists,omitempty"`
	Users       map[string]map[string]list `json:"users,omitempty" yaml:"users,omitempty"`
}

func (d Document) file() file {
	f := file{System: d.Tenant == "", Tenant: d.Tenant, Lists: lists(d.Lists)}
	if r := d.Record; r != nil {
		f.Name, f.Hosts, f.Attributes = r.Name, r.Hosts, attributes(r.Attributes)
		if r.StaffOnly {
			f.SelfService = new(bool)
		}
	}
	for user, of := range d.Users {
		if len(of) == 0 {
			continue
		}
		if f.Users == nil {
			f.Users = map[string]map[string]list{}
		}
		f.Users[user] = lists(of)
	}
	return f
}

func lists(by map[string]*policy.List) map[string]list {
	all := make(map[string]list, len(by))
	for resource, l := range by {
		all[resource] = list{l}
	}
	return all
}

// attributes are an object of the operator's own, in its own order.
type attributes json.RawMessage

// list is its entries, with its state where that is not "on".
type list struct{ *policy.List }

type withState struct {
	State   string  `json:"state" yaml:"state"`
	Entries []entry `json:"entries" yaml:"entries"`
}

func (l list) content() any {
	entries := make([]entry, len(l.Entries))
	for i := range l.Entries {
		entries[i] = entry{&l.Entries[i]}
	}
	if l.State == policy.ListOn {
		return entries
	}
	return withState{l.State.String(), entries}
}

// entry is its text, with the rest where there is more to say.
type entry struct{ *policy.Entry }

type withMore struct {
	Address string    `json:"address" yaml:"address"`
	Action  string    `json:"action,omitempty" yaml:"action,omitempty"`
	Comment string    `json:"comment,omitempty" yaml:"comment,omitempty"`
	Enabled *bool     `json:"enabled,omitempty" yaml:"enabled,omitempty"`
	Expires time.Time `json:"expires,omitzero" yaml:"expires,omitempty"`
}

// plain reports whether e is no more than its text.
func (e entry) plain() bool {
	return e.Action == policy.Allow && e.Comment == "" && !e.Disabled && e.Expires.IsZero()
}

func (e entry) more() withMore {
	m := withMore{Address: e.Text, Comment: e.Comment, Expires: e.Expires}
	if e.Action != policy.Allow {
		m.Action = e.Action.String()
	}
	if e.Disabled {
		m.Enabled = new(bool)
	}
	return m
}

// resources are a scope's, in order.
func resources(lists map[string]*policy.List) []string {
	return slices.Sorted(maps.Keys(lists))
}
