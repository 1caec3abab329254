package api

import (
	"slices"
	"strings"
	"time"

	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/policy"
)

// The shapes of answers about lists, which are the document's.
type (
	List    = v1.List
	Lists   = v1.ListPage
	Dropped = v1.Dropped
)

// find are the lists of t that are wanted, in the order of their names.
func find(t *policy.Table, wanted func(policy.Place, *policy.List) bool) []List {
	found := []List{}
	for at, l := range t.State.Lists() {
		if wanted(at, l) {
			found = append(found, listAt(at, l, t.Now))
		}
	}
	slices.SortFunc(found, func(a, b List) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// listAt is what stands in l as of now.
func listAt(at policy.Place, l *policy.List, now time.Time) v1.List {
	c := count(l, now)
	return v1.List{
		Name: at.String(), Scope: v1.Scope(at.Scope.String()),
		Tenant: at.Tenant, User: at.User, Endpoint: at.Endpoint, Resource: at.Resource,
		State: v1.ListState(l.State.String()), Owner: l.Owner, At: v1.Pos(l.Pos), Orphaned: l.Orphaned,
		Entries: c.Entries, Live: c.Live, Expired: c.Expired, Disabled: c.Disabled,
	}
}

func count(l *policy.List, now time.Time) v1.EntryCounts {
	c := v1.EntryCounts{Entries: len(l.Entries)}
	for i := range l.Entries {
		switch e := &l.Entries[i]; {
		case e.Live(now):
			c.Live++
		case e.Disabled:
			c.Disabled++
		default:
			c.Expired++
		}
	}
	return c
}

// wholeList is l with its entries.
func wholeList(at policy.Place, l *policy.List, now time.Time) v1.WholeList {
	head := listAt(at, l, now)
	w := v1.WholeList{
		Name: head.Name, Scope: head.Scope, Tenant: head.Tenant, User: head.User, Endpoint: head.Endpoint,
		Resource: head.Resource, State: head.State, Owner: head.Owner, At: head.At, Orphaned: head.Orphaned,
		Etag: etag(l.Tag()), Counts: count(l, now), Entries: make([]v1.Entry, len(l.Entries)),
	}
	for i := range l.Entries {
		w.Entries[i] = entryOf(&l.Entries[i], now)
	}
	return w
}

// contentOf is l as it would be written.
func contentOf(l *policy.List) v1.ListContent {
	c := v1.ListContent{State: v1.ListState(l.State.String()), Entries: make([]v1.EntrySpec, len(l.Entries))}
	for i := range l.Entries {
		c.Entries[i] = specOf(&l.Entries[i])
	}
	return c
}

func specOf(e *policy.Entry) v1.EntrySpec {
	spec := v1.EntrySpec{Address: e.Text, Comment: e.Comment, Expires: e.Expires}
	if e.Action != policy.Allow {
		spec.Action = v1.Action(e.Action.String())
	}
	if e.Disabled {
		spec.Enabled = new(bool)
	}
	return spec
}

// Orphaned are the lists of t whose file is gone; t may be nil.
func Orphaned(t *policy.Table) []List {
	if t == nil {
		return []List{}
	}
	return find(t, func(_ policy.Place, l *policy.List) bool { return l.Orphaned })
}
