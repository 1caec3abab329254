package api

import (
	"net/http"
	"strings"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/addr"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// ListLists tells the lists without their entries.
func (n *native) ListLists(w http.ResponseWriter, r *http.Request) {
	var p v1.ListListsParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		lists, next, err := n.Control.Lists(q.call, control.ListQuery{
			Scope: scope(value(p.Scope)), Tenant: value(p.Tenant), User: value(p.User), Resource: value(p.Resource),
			Owner: owner(p.Owner), Orphaned: p.Orphaned, Page: q.names(),
		})
		if err != nil {
			return nil, err
		}
		page := v1.ListPage{Lists: make([]v1.List, len(lists)), Next: q.more(next)}
		now := n.Control.Table().Now
		for i, l := range lists {
			page.Lists[i] = listAt(l.At, l.List, now)
			page.Lists[i].Etag = etag(l.Tag())
		}
		return page, nil
	})
}

// names is the page asked for of what is in the order of names.
func (q *request) names() control.Page {
	return control.Page{After: q.page.cursor, Limit: q.page.limit}
}

func scope(s v1.Scope) policy.Scope {
	for known := policy.NoScope; known <= policy.ScopeEndpoint; known++ {
		if known.String() == string(s) {
			return known
		}
	}
	return policy.NoScope
}

// owner is a file, or the store, which has no name.
func owner(given *string) *string {
	if given != nil && *given == "store" {
		return new(string)
	}
	return given
}

// DropLists gives up the lists of one file that is gone. It names the file
// rather than taking "all": what was restricting would stop.
func (n *native) DropLists(w http.ResponseWriter, r *http.Request) {
	var p v1.DropListsParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		var told v1.Dropped
		err := n.Control.Do(q.call, access.ReloadFiles, func() (err error) {
			if told.Lists, err = n.Runtime.DropLists(r.Context(), p.Owner, q.order("list.drop")); err != nil {
				return &control.Refusal{Kind: control.Conflict, What: err.Error()}
			}
			return nil
		})
		return told, err
	})
}

// GetList tells a list with all its entries.
func (n *native) GetList(w http.ResponseWriter, r *http.Request, name v1.ListName) {
	n.handle(w, r, &v1.GetListParams{}, func(q *request) (any, error) {
		at, l, err := n.list(q, name)
		if err != nil {
			return nil, err
		}
		q.tag(l.Tag())
		return wholeList(at, l, n.Control.Table().Now), nil
	})
}

// list is the list of a name that the caller may read.
func (n *native) list(q *request, name string) (policy.Place, *policy.List, error) {
	at, err := place(name)
	if err != nil {
		return at, nil, err
	}
	l, err := n.Control.List(q.call, at)
	return at, l, err
}

// place is where the list of a name stands.
func place(name string) (policy.Place, error) {
	at, err := policy.ParsePlace(name)
	if err != nil {
		return at, wrong("list", err.Error(), "write system/RESOURCE, tenants/ID/RESOURCE, tenants/ID/users/ID/RESOURCE or endpoints/NAME")
	}
	return at, nil
}

// PutList makes a list what the body says.
func (n *native) PutList(w http.ResponseWriter, r *http.Request, name v1.ListName) {
	n.write(w, r, &v1.PutListParams{}, func(q *request) ([]control.Change, error) {
		at, err := place(name)
		if err != nil {
			return nil, err
		}
		var c content
		if err := q.body(c.object()); err != nil {
			return nil, err
		}
		return one(control.Replace(at, &c.state, c.entries))
	})
}

// PatchList turns a list on, to monitor or off.
func (n *native) PatchList(w http.ResponseWriter, r *http.Request, name v1.ListName) {
	n.write(w, r, &v1.PatchListParams{}, func(q *request) ([]control.Change, error) {
		at, err := place(name)
		if err != nil {
			return nil, err
		}
		var state policy.ListState
		if err := q.body(statePatch(&state)); err != nil {
			return nil, err
		}
		return one(control.SetState(at, state))
	})
}

// DeleteList takes a list away.
func (n *native) DeleteList(w http.ResponseWriter, r *http.Request, name v1.ListName) {
	n.write(w, r, &v1.DeleteListParams{}, func(*request) ([]control.Change, error) {
		at, err := place(name)
		if err != nil {
			return nil, err
		}
		return one(control.Delete(at))
	})
}

// ReleaseList hands a list of the store's over to the file that has it too, and one
// whose file is gone to the store.
func (n *native) ReleaseList(w http.ResponseWriter, r *http.Request, name v1.ListName) {
	n.handle(w, r, &v1.ReleaseListParams{}, func(q *request) (any, error) {
		at, err := place(name)
		if err != nil {
			return nil, err
		}
		result, err := n.Control.Release(q.Context(), q.call, at, q.match, func() error {
			return n.Runtime.Reload(q.Context(), q.order("list.release"), at)
		})
		if err != nil {
			return nil, err
		}
		if l := result.After.State.ListAt(at); l != nil {
			q.tag(l.Tag())
		}
		return writtenOf(result), nil
	})
}

// ListEntries tells the entries of a list by page.
func (n *native) ListEntries(w http.ResponseWriter, r *http.Request, name v1.ListName) {
	var p v1.ListEntriesParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		wanted, err := entriesWanted(&p)
		if err != nil {
			return nil, err
		}
		_, l, err := n.list(q, name)
		if err != nil {
			return nil, err
		}
		q.tag(l.Tag())
		return entryPage(q, l, n.Control.Table().Now, wanted)
	})
}

// AddEntries adds entries to a list, and makes it where there is none.
func (n *native) AddEntries(w http.ResponseWriter, r *http.Request, name v1.ListName) {
	n.write(w, r, &v1.AddEntriesParams{}, func(q *request) ([]control.Change, error) {
		at, err := place(name)
		if err != nil {
			return nil, err
		}
		var entries []policy.Entry
		if err := q.body(batch(&entries)); err != nil {
			return nil, err
		}
		return one(control.Add(at, entries...))
	})
}

// RemoveEntries takes entries out of a list.
func (n *native) RemoveEntries(w http.ResponseWriter, r *http.Request, name v1.ListName) {
	var p v1.RemoveEntriesParams
	n.write(w, r, &p, func(*request) ([]control.Change, error) {
		at, err := place(name)
		if err != nil {
			return nil, err
		}
		which := make([]control.Which, len(p.Address))
		for i, text := range p.Address {
			if which[i], err = entryNamed(text, p.Action); err != nil {
				return nil, err
			}
		}
		return one(control.Remove(at, which...))
	})
}

// PatchEntry changes one entry.
func (n *native) PatchEntry(w http.ResponseWriter, r *http.Request, name v1.ListName) {
	var p v1.PatchEntryParams
	n.write(w, r, &p, func(q *request) ([]control.Change, error) {
		at, err := place(name)
		if err != nil {
			return nil, err
		}
		which, err := entryNamed(p.Address, p.Action)
		if err != nil {
			return nil, err
		}
		var patch entryPatch
		if err := q.body(patch.shape()); err != nil {
			return nil, err
		}
		return one(control.Patch(at, which, patch.apply))
	})
}

// entryNamed names the entry of an address, in whatever form.
func entryNamed(text string, action *v1.Action) (control.Which, error) {
	rg, err := addr.Parse(text)
	if err != nil {
		return control.Which{}, wrong("address", err.Error(), "")
	}
	which := control.Which{Range: rg}
	if action != nil {
		a := policy.Allow
		if strings.EqualFold(string(*action), policy.Deny.String()) {
			a = policy.Deny
		}
		which.Action = &a
	}
	return which, nil
}
