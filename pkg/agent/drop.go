package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// DropLists gives up what is in force of a file that is gone: its orphaned lists
// and its tenant's record. It names the lists.
func (a *Agent) DropLists(ctx context.Context, owner string, by By) (names []string, err error) {
	if stopped := a.do(ctx, func(ctx context.Context, l *loop) { names, err = l.drop(ctx, owner, by) }); stopped != nil {
		err = stopped
	}
	if err != nil {
		return nil, fmt.Errorf("drop the lists of %s: %w", owner, err)
	}
	return names, nil
}

func (l *loop) drop(ctx context.Context, owner string, by By) ([]string, error) {
	switch {
	case l.rev == nil || l.lost:
		return nil, errors.New("no revision is in force")
	case l.reading.lists.Owns(owner):
		return nil, errors.New("the file is there, and says what they are")
	}
	s, dropped := without(l.rev.State, owner)
	if s == nil {
		return nil, errors.New("it has none in force")
	}
	next := l.next(s, l.rev.Settings)
	gone := &successor{by: by, names: differences(l.rev.State, s)}
	if err := l.forward(ctx, next, true); err != nil {
		return nil, err
	}
	l.commitFiles(next, gone)
	l.save()
	l.lookForOrphans()
	l.cfg.Log.Info("orphaned lists dropped", "owner", owner, "lists", dropped)
	l.show()
	return dropped, nil
}

// without is s without the orphaned lists and records of owner, and the names of
// the lists; nil where there is nothing of it.
func without(s *policy.State, owner string) (*policy.State, []string) {
	dropped := []string{}
	for at, l := range s.Lists() {
		if l.Orphaned && l.Owner == owner {
			dropped = append(dropped, at.String())
		}
	}
	slices.Sort(dropped)
	rest := *s
	rest.System = withoutLists(s.System, owner)
	edits := map[string]*policy.Tenant{}
	for id, t := range s.Tenants.All() {
		if w := withoutTenant(t, owner); w == nil || !t.Same(w) {
			edits[id] = w
		}
	}
	if len(dropped) == 0 && len(edits) == 0 {
		return nil, nil
	}
	rest.Tenants = s.Tenants.Edit(edits)
	return &rest, dropped
}

// withoutTenant is t without what stands in owner; nil where nothing is left.
func withoutTenant(t *policy.Tenant, owner string) *policy.Tenant {
	w := *t
	if w.Owner == owner {
		w = *w.With(nil)
		w.Owner = ""
	}
	w.Lists = withoutLists(t.Lists, owner)
	w.Users = make(map[string]map[string]*policy.List, len(t.Users))
	for user, lists := range t.Users {
		if rest := withoutLists(lists, owner); len(rest) > 0 || len(lists) == 0 {
			w.Users[user] = rest
		}
	}
	if w.Pos.File == owner {
		w.Pos = policy.Pos{}
	}
	if w.Empty() {
		return nil
	}
	return &w
}

func withoutLists(lists map[string]*policy.List, owner string) map[string]*policy.List {
	rest := map[string]*policy.List{}
	for resource, l := range lists {
		if !l.Orphaned || l.Owner != owner {
			rest[resource] = l
		}
	}
	return rest
}
