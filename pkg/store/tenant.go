package store

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// tenant is a tenant's record on disk. Attributes are a string, because to encode
// JSON inside JSON compacts it and escapes its signs, and the agent would start
// with another record than it stopped with.
type tenant struct {
	Name       string            `json:"name,omitempty"`
	Hosts      []string          `json:"hosts"`
	StaffOnly  bool              `json:"staffOnly,omitempty"`
	Attributes string            `json:"attributes,omitempty"`
	Users      map[string]string `json:"users,omitempty"` // names by id

	// Of the snapshot alone.
	Owner    string     `json:"owner,omitempty"`
	Stored   bool       `json:"stored,omitempty"`
	Listless []string   `json:"listless,omitempty"` // users somebody names without a list
	Pos      policy.Pos `json:"pos,omitzero"`
}

func recordOnDisk(r *policy.TenantRecord) tenant {
	return tenant{
		Name: r.Name, Hosts: r.Hosts, StaffOnly: r.StaffOnly, Attributes: string(r.Attributes), Users: r.Users,
	}
}

func (t *tenant) record() *policy.TenantRecord {
	r := &policy.TenantRecord{Name: t.Name, Hosts: t.Hosts, StaffOnly: t.StaffOnly, Users: t.Users}
	if t.Attributes != "" {
		r.Attributes = json.RawMessage(t.Attributes)
	}
	return r
}

// tenantOnDisk is t without its lists.
func tenantOnDisk(t *policy.Tenant) tenant {
	on := tenant{
		Name: t.Name, Hosts: t.Hosts, StaffOnly: t.StaffOnly, Attributes: string(t.Attributes), Users: t.Names,
		Owner: t.Owner, Stored: t.Stored, Pos: t.Pos,
	}
	for user, lists := range t.Users {
		if len(lists) == 0 {
			on.Listless = append(on.Listless, user)
		}
	}
	slices.Sort(on.Listless)
	return on
}

func (t *tenant) tenant(id string) *policy.Tenant {
	whole := (&policy.Tenant{ID: id, Owner: t.Owner, Pos: t.Pos}).With(t.record())
	whole.Stored = t.Stored
	whole.Lists = map[string]*policy.List{}
	whole.Users = map[string]map[string]*policy.List{}
	for _, user := range t.Listless {
		whole.Users[user] = map[string]*policy.List{}
	}
	return whole
}

func readTenant(id string, sealed []byte) (t tenant, err error) {
	value, err := unseal(id, sealed)
	if err != nil {
		return t, fmt.Errorf("tenant %s: %w", id, err)
	}
	err = getJSON("tenant "+id, value, &t)
	return t, err
}
