package api

import (
	"net/http"
	"slices"
	"strconv"

	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// ListRevisions tells the revisions, the newest first. Its cursor is the number of
// the last one that was looked at.
func (n *native) ListRevisions(w http.ResponseWriter, r *http.Request) {
	var p v1.ListRevisionsParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		asked := control.HistoryQuery{
			Limit: q.page.limit, Name: value(p.Name), Tenant: value(p.Tenant), Author: value(p.Author),
		}
		if q.page.cursor != "" {
			var err error
			if asked.Before, err = strconv.ParseUint(q.page.cursor, 10, 64); err != nil {
				return nil, wrong("cursor", strconv.Quote(q.page.cursor)+" is no revision's", "")
			}
		}
		commits, err := n.Control.History(q.call, asked)
		if err != nil {
			return nil, err
		}
		page := v1.RevisionPage{Revisions: []v1.Revision{}}
		if len(commits) == q.page.limit {
			page.Next = q.more(strconv.FormatUint(commits[len(commits)-1].Number, 10))
		}
		for _, c := range commits {
			if p.Outcome == nil || string(*p.Outcome) == c.Outcome.String() {
				page.Revisions = append(page.Revisions, revisionOf(c))
			}
		}
		return page, nil
	})
}

// GetRevision tells one revision.
func (n *native) GetRevision(w http.ResponseWriter, r *http.Request, number v1.RevisionNumber) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) { return n.revision(q, number) })
}

func (n *native) revision(q *request, number uint64) (any, error) {
	c, err := n.Control.Commit(q.call, number)
	if err != nil {
		return nil, err
	}
	return revisionOf(c), nil
}

func revisionOf(c *policy.Commit) v1.Revision {
	told := v1.Revision{
		Revision: c.Number, Time: c.Time, Origin: c.Origin, Reason: c.Reason, Names: orNone(c.Names),
		Outcome: v1.Outcome(c.Outcome.String()), Confirm: c.Confirm, Reverts: c.Reverts,
		Author: v1.Author{Name: c.Author.Name, Key: c.Author.Key, Tenant: c.Author.Tenant},
	}
	if c.Author.From.IsValid() {
		told.Author.From = c.Author.From.String()
	}
	return told
}

// Rollback goes back to a revision, of a list, a tenant or everything.
func (n *native) Rollback(w http.ResponseWriter, r *http.Request, number v1.RevisionNumber) {
	var p v1.RollbackParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		part, err := partOf(p.List, p.Tenant)
		if err != nil {
			return nil, err
		}
		result, err := n.Control.Rollback(r.Context(), q.call, number, part)
		if err != nil {
			return nil, err
		}
		return writtenOf(result), nil
	})
}

func partOf(list *string, tenant *v1.ID) (control.Part, error) {
	part := control.Part{Tenant: value(tenant)}
	if list == nil {
		return part, nil
	}
	at, err := place(*list)
	part.List = &at
	if err == nil && tenant != nil {
		err = wrong("tenant", "there is a list already", "name one of them")
	}
	return part, err
}

// Confirm keeps a change that would be taken back.
func (n *native) Confirm(w http.ResponseWriter, r *http.Request, number v1.RevisionNumber) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		if err := n.Control.Confirm(r.Context(), q.call, number); err != nil {
			return nil, err
		}
		return n.revision(q, number)
	})
}

// DiffRevision tells what is between two revisions, from the older to the newer.
func (n *native) DiffRevision(w http.ResponseWriter, r *http.Request, number v1.RevisionNumber) {
	var p v1.DiffRevisionParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		part, err := partOf(p.List, p.Tenant)
		if err != nil {
			return nil, err
		}
		from, to, err := n.between(number, p.Against)
		if err != nil {
			return nil, err
		}
		d, err := n.Control.Diff(q.call, from, to, part)
		if err != nil {
			return nil, err
		}
		return v1.Diff{From: from, To: to, Records: recordsOf(d, n.Control.Table().Now)}, nil
	})
}

// between are two revisions in order: the one before, where no other is named.
// Before the first there is 0.
func (n *native) between(number uint64, against *string) (from, to uint64, err error) {
	if number == 0 {
		return 0, 0, wrong("revision", "revisions are numbered from 1", "what there was before the first is against=0")
	}
	other := number - 1
	switch {
	case against == nil:
	case *against == "current":
		other, _ = n.Control.Revision()
	default:
		if other, err = strconv.ParseUint(*against, 10, 64); err != nil {
			return 0, 0, wrong("against", strconv.Quote(*against)+" is no revision", "write its number, or current")
		}
	}
	pair := []uint64{number, other}
	slices.Sort(pair)
	return pair[0], pair[1], nil
}
