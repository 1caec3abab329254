package port

import (
	"net/http"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/audit"
)

const (
	defaultLimit = 100
	mostEvents   = 1000
)

// audit answers with the events that every filter lets through, the newest first.
func (d *Dialect) audit(w http.ResponseWriter, r *http.Request) error {
	q := dialect.QueryOf(r)
	asked, includes := filters(q)
	if err := q.Err(); err != nil {
		return err
	}
	page, err := d.control.Audit(r.Context(), front.CallOf(r.Context()), asked)
	if err != nil {
		return err
	}
	events := make([]dialect.Object, len(page.Entries))
	for i := range page.Entries {
		events[i] = eventOf(&page.Entries[i], includes)
	}
	return dialect.Reply(w, http.StatusOK, struct {
		OK     bool             `json:"ok"`
		Audits []dialect.Object `json:"audits"`
	}{true, events})
}

// actions are Port's words for what a change does.
var actions = map[string]audit.Type{"CREATE": audit.Creation, "UPDATE": audit.Change, "DELETE": audit.Deletion}

var statuses = map[string]audit.Outcome{"SUCCESS": audit.Success, "FAILURE": audit.Failure}

// filters reads what is asked for, and which members of it.
func filters(q *dialect.Query) (asked audit.Query, includes []string) {
	asked = audit.Query{
		Object:  q.Text("entity"),
		Outcome: dialect.Choose(q, "status", "", statuses),
		Since:   q.Time("from"),
		Until:   q.Time("to"),
		Limit:   q.Int("limit", defaultLimit, 1, mostEvents),
	}
	action := dialect.Choose(q, "action", "", actions)
	identifier := q.Text("identifier")
	resources, origins := list(q, "resources"), list(q, "origin")
	none := q.Text("blueprint")+q.Text("run_id")+q.Text("webhookId") != ""
	asked.Keep = func(e *audit.Entry) bool {
		return !none && (action == "" || action == e.Type) &&
			(identifier == "" || identifier == identifierOf(e) || slices.Contains(e.Objects, identifier)) &&
			(resources == nil || slices.Contains(resources, kindOf(e))) &&
			(origins == nil || slices.ContainsFunc(origins, func(o string) bool { return strings.EqualFold(o, e.Origin) }))
	}
	includes = list(q, "includes")
	for _, name := range includes {
		if !slices.Contains(members, name) {
			q.Unmeant("includes", name, members)
		}
	}
	return asked, includes
}

// list is a parameter that may stand more than once, with or without brackets
// after its name.
func list(q *dialect.Query, name string) []string {
	return slices.Concat(q.Texts(name), q.Texts(name+"[]"))
}
