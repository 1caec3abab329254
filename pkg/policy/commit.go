package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// Commit is what is told of a revision: who made it, when, from where and why,
// and what stood before in the place of what it changed.
type Commit struct {
	Number uint64
	Time   time.Time
	Author Author
	Origin string // api, a dialect's name, files, revert
	Reason string // as the author gave it
	// Names are those of the records it changed, sorted.
	Names []string
	// Before are these records as they were. A commit of the files has none: what
	// files said before is theirs to know.
	Before Image
	// Confirm is until when somebody must have confirmed it; zero: nobody must.
	Confirm time.Time
	Outcome Outcome
	Reverts uint64 // the revision it takes back; 0: none
	Told    *Told  // not kept
}

// Files is the Origin of a revision in which what files say changed.
const Files = "files"

// Author is who made a revision.
type Author struct {
	Name   string     `json:"name"`             // a key's, "root", "files"
	Key    string     `json:"key,omitempty"`    // its id
	Tenant string     `json:"tenant,omitempty"` // whose key it is
	From   netip.Addr `json:"from,omitzero"`
}

// Outcome is how a commit that had to be confirmed ended.
type Outcome uint8

const (
	Settled   Outcome = iota // settled
	Pending                  // pending
	Confirmed                // confirmed
	Reverted                 // reverted
)

// Pruned refuses to go back to a revision that is too long ago.
type Pruned struct{ Number, Oldest uint64 }

func (e *Pruned) Error() string {
	return fmt.Sprintf("revision %d is no longer kept; the oldest that can be gone back to is %d", e.Number, e.Oldest)
}

// Image is the values of some records of a State. A nil value says that there is
// no such record.
type Image struct {
	Lists     map[Place]*List // the system's, tenants' and users'
	Tenants   map[string]*TenantRecord
	Endpoints map[string]*Endpoint
	Filtering *bool // off
}

// TenantRecord is a tenant without its lists, as the store keeps it.
type TenantRecord struct {
	Name       string            `json:"name,omitempty"`
	Hosts      []string          `json:"hosts,omitempty"`
	StaffOnly  bool              `json:"staffOnly,omitempty"`
	Attributes json.RawMessage   `json:"attributes,omitempty"`
	Users      map[string]string `json:"users,omitempty"` // names by id, "" for none
}

// Record is what the store has of t; nil where it has nothing.
func (t *Tenant) Record() *TenantRecord {
	if t == nil || !t.Stored {
		return nil
	}
	return t.AsRecord()
}

// AsRecord is t's record, whoever owns it.
func (t *Tenant) AsRecord() *TenantRecord {
	return &TenantRecord{Name: t.Name, Hosts: t.Hosts, StaffOnly: t.StaffOnly, Attributes: t.Attributes, Users: t.Names}
}

// With is t with the store's record r, or without one where r is nil.
func (t *Tenant) With(r *TenantRecord) *Tenant {
	c := *t
	if c.Stored = r != nil; !c.Stored {
		r = &TenantRecord{}
	}
	c.Name, c.Hosts, c.StaffOnly, c.Attributes, c.Names = r.Name, r.Hosts, r.StaffOnly, r.Attributes, r.Users
	return &c
}

// Empty reports whether nothing is known of t that would make it a tenant.
func (t *Tenant) Empty() bool {
	return !t.Stored && t.Pos.File == "" && t.Owner == "" && len(t.Lists) == 0 && len(t.Users) == 0
}

// filteringName is the switch's, beside lists, tenants and endpoints.
const filteringName = "filtering"

// Names are the names of the records, sorted.
func (i Image) Names() []string {
	names := make([]string, 0, len(i.Lists)+len(i.Tenants)+len(i.Endpoints)+1)
	for at := range i.Lists {
		names = append(names, at.String())
	}
	for id := range i.Tenants {
		names = append(names, "tenants/"+id)
	}
	for name := range i.Endpoints {
		names = append(names, "endpoints/"+name)
	}
	if i.Filtering != nil {
		names = append(names, filteringName)
	}
	slices.Sort(names)
	return names
}

// Empty reports whether there is no record in i.
func (i Image) Empty() bool {
	return len(i.Lists)+len(i.Tenants)+len(i.Endpoints) == 0 && i.Filtering == nil
}

// None is the image in which none of i's records is there.
func (i Image) None() Image {
	return Image{Lists: none(i.Lists), Tenants: none(i.Tenants), Endpoints: none(i.Endpoints)}
}

func none[K comparable, V any](of map[K]*V) map[K]*V {
	gone := make(map[K]*V, len(of))
	for key := range of {
		gone[key] = nil
	}
	return gone
}

// Absent reports whether none of i's records is there.
func (i Image) Absent() bool {
	return absent(i.Lists) && absent(i.Tenants) && absent(i.Endpoints) && i.Filtering == nil
}

func absent[K comparable, V any](of map[K]*V) bool {
	for _, value := range of {
		if value != nil {
			return false
		}
	}
	return true
}

// Over is i with the records of later that i has not: what stood before two
// commits, of which i is the earlier's.
func (i Image) Over(later Image) Image {
	all := Image{
		Lists: maps.Clone(later.Lists), Tenants: maps.Clone(later.Tenants),
		Endpoints: maps.Clone(later.Endpoints), Filtering: later.Filtering,
	}
	all.Lists = over(all.Lists, i.Lists)
	all.Tenants = over(all.Tenants, i.Tenants)
	all.Endpoints = over(all.Endpoints, i.Endpoints)
	if i.Filtering != nil {
		all.Filtering = i.Filtering
	}
	return all
}

func over[K comparable, V any](all, first map[K]V) map[K]V {
	if all == nil {
		return maps.Clone(first)
	}
	maps.Copy(all, first)
	return all
}
