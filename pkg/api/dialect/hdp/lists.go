package hdp

import (
	"net/http"
	"slices"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// span is an address, or the first and the last of a range.
type span struct {
	Start string `json:"startAddress"`
	End   string `json:"endAddress,omitempty"`
}

// whitelists are the lists at one place. One that the caller may not read is nil,
// and left out.
type whitelists struct {
	ManagementAPI []span `json:"managementAPI,omitzero"`
	AdminAPI      []span `json:"adminAPI,omitzero"`
	DataAccess    []span `json:"dataAccess,omitzero"`
	WebUI         []span `json:"webUI,omitzero"`
}

func (l *whitelists) of(resource string) *[]span {
	return map[string]*[]span{
		"managementAPI": &l.ManagementAPI, "adminAPI": &l.AdminAPI, "dataAccess": &l.DataAccess, webUI: &l.WebUI,
	}[resource]
}

// read answers the lists.
func (q *request) read() error {
	if err := q.permitted(); err != nil {
		return err
	}
	return q.answer()
}

// permitted refuses a request that may do what it does to none of the lists, and
// one about a tenant or user that there is not.
func (q *request) permitted() error {
	if !slices.ContainsFunc(q.resources(), func(resource string) bool { return q.may(q.list(resource)) }) {
		return q.control.Permit(q.call, q.action(), access.At(q.list(resources[0])))
	}
	in, err := q.table()
	if err != nil {
		return err
	}
	s := in.State
	t := s.Tenants.Get(q.at.Tenant)
	switch {
	case q.at.Tenant != "" && !s.HasTenant(q.at.Tenant):
		return &policy.Unknown{What: "tenant", Name: q.at.Tenant}
	case q.at.User != "" && (t == nil || !t.HasUser(q.at.User)):
		return &policy.Unknown{What: "user", Name: q.at.User}
	}
	return nil
}

// answer writes the lists as they are.
func (q *request) answer() error {
	in, err := q.table()
	if err != nil {
		return err
	}
	var content whitelists
	var hidden dialect.Hidden
	for _, resource := range resources {
		*content.of(resource) = []span{}
	}
	for _, resource := range q.resources() {
		if !q.call.Caller.May(access.ReadLists, access.At(q.list(resource))) {
			*content.of(resource) = nil
			continue
		}
		shown, of := in.State.ListAt(q.list(resource)).Shown(false, in.Now)
		hidden.Add(of)
		*content.of(resource) = spans(shown)
	}
	hidden.Lists = q.others(in.State)
	hidden.Tell(q.w.Header())
	dialect.Answer(q.w, content, "")
	return nil
}

// others are the resources with lists at the request's place that this API does
// not know, and that the caller may read.
func (q *request) others(s *policy.State) []string {
	var found []string
	for _, resource := range append(s.KnownResources(), policy.AnyResource) {
		at := q.list(resource)
		if !slices.Contains(q.resources(), resource) && s.ListAt(at) != nil && q.call.Caller.May(access.ReadLists, access.At(at)) {
			found = append(found, resource)
		}
	}
	return found
}

func spans(entries []policy.Entry) []span {
	all := make([]span, len(entries))
	for i, e := range entries {
		all[i].Start = e.Range.From().String()
		if e.Range.From() != e.Range.To() {
			all[i].End = e.Range.To().String()
		}
	}
	return all
}

// write replaces the lists that the body names, and answers what there is then.
func (q *request) write() error {
	if err := q.permitted(); err != nil {
		return err
	}
	asked, err := q.body()
	if err != nil {
		return err
	}
	var changes []control.Change
	for _, resource := range q.resources() {
		switch a := asked[resource]; {
		case a.said == body.Absent:
		case len(a.entries) == 0:
			q.call.MayOpen = true
			changes = append(changes, control.Clear(q.list(resource)))
		default:
			q.spell(resource, a.entries)
			changes = append(changes, control.ReplaceShown(q.list(resource), a.entries))
		}
	}
	if err := q.change(changes); err != nil {
		return err
	}
	return q.answer()
}

// asked is what a body says of one resource.
type asked struct {
	said    body.Said
	entries []policy.Entry
}

func (q *request) body() (map[string]*asked, error) {
	all := map[string]*asked{}
	fields := body.Fields{}
	for _, resource := range resources {
		a := &asked{}
		all[resource] = a
		shape := body.Noted(&a.said, body.Each(&a.entries, body.Pair))
		if !slices.Contains(q.resources(), resource) {
			shape = body.Check(shape, func() error { return a.nowhere(resource) })
		}
		fields[resource] = shape
	}
	return all, body.Read(q.w, q.r, q.limits, body.Object(fields))
}

// nowhere refuses ranges for a resource that has no lists at the place: null and
// [] say no more than that.
func (a *asked) nowhere(resource string) error {
	if len(a.entries) == 0 {
		return nil
	}
	return &body.Mistake{What: resource + " has a list at the system level only", Remedy: "leave it out, or write null"}
}

// spell gives entries the text of those that stand there for the same addresses:
// what was typed as a prefix is still one when it comes back as a range.
func (q *request) spell(resource string, entries []policy.Entry) {
	in, err := q.table()
	if err != nil {
		return
	}
	was := map[addr.Range]string{}
	shown, _ := in.State.ListAt(q.list(resource)).Shown(false, in.Now)
	for _, e := range shown {
		was[e.Range] = e.Text
	}
	for i := range entries {
		if text, stands := was[entries[i].Range]; stands {
			entries[i].Text = text
		}
	}
}

// clear opens all that the caller may write, and must not leave out a list that it
// may not.
func (q *request) clear() error {
	if err := q.permitted(); err != nil {
		return err
	}
	in, err := q.table()
	if err != nil {
		return err
	}
	var changes []control.Change
	for _, resource := range q.resources() {
		if at := q.list(resource); q.may(at) || in.State.ListAt(at) != nil {
			changes = append(changes, control.Clear(at))
		}
	}
	q.call.MayOpen = true
	if err := q.change(changes); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (q *request) change(changes []control.Change) error {
	result, err := q.control.Write(q.r.Context(), q.call, changes...)
	if err == nil {
		dialect.Warn(q.w.Header(), result)
	}
	return err
}
