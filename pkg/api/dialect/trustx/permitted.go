package trustx

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// place is where a tenant's permitted addresses stand.
func (r request) place() policy.Place {
	return policy.Place{Scope: policy.ScopeTenant, Tenant: r.tenant, Resource: policy.AnyResource}
}

// permitted answers with the tenant's record as it is.
func (d *Dialect) permitted(w http.ResponseWriter, r request) error {
	if err := d.control.Permit(r.Call, access.ReadLists, access.At(r.place())); err != nil {
		return err
	}
	return d.answer(w, r, d.control.Table())
}

// permit makes the addresses sent the ones that are permitted.
func (d *Dialect) permit(w http.ResponseWriter, r request) error {
	if err := d.control.Permit(r.Call, access.WriteLists, access.At(r.place())); err != nil {
		return err // before a word is said of the body
	}
	var entries []policy.Entry
	addresses := body.Check(body.Each(&entries, body.Address), func() error { return r.open(entries) })
	if err := body.Read(w, r.Request, d.limits, body.Object(body.Fields{"ips": addresses}, "ips")); err != nil {
		return err
	}
	change := control.ReplaceShown(r.place(), entries)
	if len(entries) == 0 {
		change = control.Clear(r.place()) // with an entry left that is over or disabled, nobody would be permitted
	}
	res, err := d.control.Write(r.Context(), r.Call, change)
	if err != nil {
		return err
	}
	dialect.Warn(w.Header(), res)
	return d.answer(w, r, res.After)
}

// open refuses no addresses at all, unless force is said.
func (r request) open(entries []policy.Entry) error {
	if len(entries) > 0 || r.Force {
		return nil
	}
	return &body.Mistake{
		What:   "no address: with none, every address would be permitted",
		Remedy: "DELETE /api/v1/lists/" + r.place().String() + " of the native API if that is meant, or send it again with X-Postern-Force: true",
	}
}

// answer is a tenant's record with the addresses that are permitted, each as it
// was typed.
func (d *Dialect) answer(w http.ResponseWriter, r request, t *policy.Table) error {
	if err := known(t, r.tenant); err != nil {
		return err
	}
	shown, hidden := t.State.ListAt(r.place()).Shown(false, t.Now)
	ips := make([]string, len(shown))
	for i := range shown {
		ips[i] = shown[i].Text
	}
	record := policy.Tenant{}
	if has := t.State.Tenants.Get(r.tenant); has != nil {
		record = *has
	}
	told, err := with(record.Attributes, ips)
	if err != nil {
		return err
	}
	(&dialect.Hidden{Hidden: hidden, Lists: r.others(record.Lists)}).Tell(w.Header())
	dialect.Answer(w, told, "")
	return nil
}

// with is a tenant's attributes, as they were stored, with its addresses at the
// end.
func with(attributes json.RawMessage, ips []string) (dialect.Object, error) {
	const name = "permittedIPs"
	var record dialect.Object
	if len(attributes) > 0 {
		if err := json.Unmarshal(attributes, &record); err != nil {
			return nil, fmt.Errorf("read the tenant's attributes: %w", err)
		}
	}
	record = slices.DeleteFunc(record, func(m dialect.Member) bool { return m.Name == name })
	return append(record, dialect.Member{Name: name, Value: struct {
		IPs []string `json:"ips"`
	}{ips}}), nil
}

// others are the resources of a tenant's lists that TrustX knows nothing of, and
// that the caller may read.
func (r request) others(lists map[string]*policy.List) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(lists)), func(resource string) bool {
		at := r.place()
		at.Resource = resource
		return resource == policy.AnyResource || !r.Caller.May(access.ReadLists, access.At(at))
	})
}
