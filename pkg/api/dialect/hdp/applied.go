package hdp

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// applied is somebody with lists.
type applied struct {
	ID        id       `json:"id"`
	Name      string   `json:"name"`
	Protected []string `json:"protectedResources"`
}

// id is a number where it is written like one: in the system spoken for, all are.
type id string

func (i id) MarshalJSON() ([]byte, error) {
	if n, err := strconv.ParseUint(string(i), 10, 53); err == nil && strconv.FormatUint(n, 10) == string(i) {
		return []byte(i), nil
	}
	return json.Marshal(string(i))
}

// tenants answers the tenants that have lists, of those that the caller
// administers.
func (d *Dialect) tenants(w http.ResponseWriter, r *http.Request) error {
	c, _, err := dialect.Ask(r)
	if err != nil {
		return err
	}
	if err := d.control.Permit(c, access.ReadLists, administered(c.Caller)); err != nil {
		return err
	}
	in, err := d.table()
	if err != nil {
		return err
	}
	found := []applied{}
	for t := range within(in.State, c.Caller) {
		if protected := protectedBy(t.Lists); protected != nil {
			found = append(found, applied{id(t.ID), cmp.Or(t.Name, t.ID), protected})
		}
	}
	answerApplied(w, found)
	return nil
}

// users answers the users that have lists, to administrators of the system.
func (d *Dialect) users(w http.ResponseWriter, r *http.Request) error {
	c, _, err := dialect.Ask(r)
	if err != nil {
		return err
	}
	if !c.Caller.Has("12") {
		return d.notAdmin(c)
	}
	in, err := d.table()
	if err != nil {
		return err
	}
	found := []applied{}
	for _, t := range in.State.Tenants.All() {
		for user, lists := range t.Users {
			if protected := protectedBy(lists); protected != nil {
				found = append(found, applied{id(user), cmp.Or(t.Names[user], user), protected})
			}
		}
	}
	answerApplied(w, found)
	return nil
}

// notAdmin refuses what the control plane has no right for: it is this API alone
// that keeps it for administrators.
func (d *Dialect) notAdmin(c *control.Call) error {
	no := &control.Refusal{Kind: control.Forbidden, What: c.Caller.Name + " may not list users", Remedy: "permission 12 does"}
	d.control.Refused(audit.Record{
		Actor: audit.Actor{ID: c.Caller.ID, Name: c.Caller.Name, Tenant: c.Caller.Tenant, From: c.From}, Action: "users.list",
		Origin: c.Origin, Error: no.Error(), Trace: c.Trace,
	})
	return no
}

// protectedBy are the resources for which one of these lists restricts.
func protectedBy(lists map[string]*policy.List) []string {
	var found []string
	for _, resource := range resources[:3] {
		l := lists[resource]
		if l != nil && l.State != policy.ListOff && slices.ContainsFunc(l.Entries, allows) {
			found = append(found, resource)
		}
	}
	return found
}

func allows(e policy.Entry) bool { return e.Action == policy.Allow }

func answerApplied(w http.ResponseWriter, found []applied) {
	slices.SortFunc(found, func(a, b applied) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	dialect.Answer(w, struct {
		Applied []applied `json:"appliedWhiteLists"`
	}{found}, "")
}
