package api

import (
	"net/http"

	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/audit"
)

// ListAudit tells lines of the journal as they stand in it, the newest first.
func (n *native) ListAudit(w http.ResponseWriter, r *http.Request) {
	var p v1.ListAuditParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		found, err := n.Control.Audit(r.Context(), q.call, audit.Query{
			Tenant: value(p.Tenant), Actor: value(p.Actor), Action: value(p.Action), Outcome: audit.Outcome(value(p.Outcome)),
			Since: value(p.Since), Until: value(p.Until), Limit: q.page.limit, Cursor: q.page.cursor,
		})
		if err != nil {
			return nil, err
		}
		page := v1.AuditPage{Events: make([]v1.AuditEvent, len(found.Entries)), Next: q.more(found.Next)}
		for i := range found.Entries {
			page.Events[i] = found.Entries[i].Line
		}
		return page, nil
	})
}
