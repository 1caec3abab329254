package control

import (
	"fmt"
	"slices"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// List is a list where it stands.
type List struct {
	At policy.Place
	*policy.List
}

// Replace makes a list what it says, or makes it. An entry that judges as one
// before keeps that one's author and time; nil leaves the state as it is.
func Replace(at policy.Place, state *policy.ListState, entries []policy.Entry) Change {
	return listChange("list.replace", at, func(e *edit, old *policy.List) (*policy.List, error) {
		next := &policy.List{Entries: e.carry(old, entries)}
		if old != nil {
			next.State = old.State
		}
		if state != nil {
			next.State = *state
		}
		return next, nil
	})
}

// ReplaceShown replaces what a dialect shows of a list, and no more. A list that
// is left without entries goes.
func ReplaceShown(at policy.Place, entries []policy.Entry) Change {
	return listChange("list.replace", at, func(e *edit, old *policy.List) (*policy.List, error) {
		next := policy.ReplaceShown(old, entries, e.Now, e.Stamp)
		if next != old && len(next.Entries) == 0 && next.State == policy.ListOn {
			return nil, nil
		}
		if old == nil && len(entries) == 0 {
			return nil, nil
		}
		return next, nil
	})
}

// Clear takes every allow entry out of a list, so that it restricts nothing: what
// a dialect means by DELETE. Its denials stay. No list is clear.
func Clear(at policy.Place) Change {
	return listChange("list.clear", at, func(_ *edit, old *policy.List) (*policy.List, error) {
		if old == nil {
			return nil, nil
		}
		next := *old
		next.Entries = slices.DeleteFunc(slices.Clone(old.Entries), func(e policy.Entry) bool { return e.Action == policy.Allow })
		if len(next.Entries) == 0 {
			return nil, nil
		}
		return &next, nil
	})
}

// Which names entries of a list by what they judge, however they are spelled.
type Which struct {
	Range  addr.Range
	Action *policy.Action // nil: whichever stands there
}

func (w Which) is(e *policy.Entry) bool {
	return e.Range == w.Range && (w.Action == nil || *w.Action == e.Action)
}

// Remove takes entries out. Each must be there.
func Remove(at policy.Place, which ...Which) Change {
	return listChange("list.remove", at, func(_ *edit, old *policy.List) (*policy.List, error) {
		if err := missing(at, old, which); err != nil {
			return nil, err
		}
		gone := make(map[addr.Range][]Which, len(which))
		for _, w := range which {
			gone[w.Range] = append(gone[w.Range], w)
		}
		next := *old
		next.Entries = slices.DeleteFunc(slices.Clone(old.Entries), func(e policy.Entry) bool {
			return slices.ContainsFunc(gone[e.Range], func(w Which) bool { return w.is(&e) })
		})
		return &next, nil
	})
}

// Patch changes one entry, whose addresses stay.
func Patch(at policy.Place, which Which, change func(*policy.Entry)) Change {
	return listChange("list.patch", at, func(e *edit, old *policy.List) (*policy.List, error) {
		if err := missing(at, old, []Which{which}); err != nil {
			return nil, err
		}
		next := *old
		next.Entries = slices.Clone(old.Entries)
		i := slices.IndexFunc(next.Entries, func(e policy.Entry) bool { return which.is(&e) })
		if slices.ContainsFunc(next.Entries[i+1:], func(e policy.Entry) bool { return which.is(&e) }) {
			return nil, refuse(Conflict, "%s stands in %s more than once; say whether the one that allows or that denies", addr.String(which.Range), at)
		}
		change(&next.Entries[i])
		next.Entries[i].Range, next.Entries[i].By = old.Entries[i].Range, e.modified(old.Entries[i].By)
		return &next, nil
	})
}

// SetState turns a list on, to monitor or off.
func SetState(at policy.Place, state policy.ListState) Change {
	return listChange("list.state", at, func(_ *edit, old *policy.List) (*policy.List, error) {
		if old == nil {
			return nil, &policy.Unknown{What: "list", Name: at.String()}
		}
		next := *old
		next.State = state
		return &next, nil
	})
}

// Delete takes a list away.
func Delete(at policy.Place) Change {
	return listChange("list.delete", at, func(_ *edit, old *policy.List) (*policy.List, error) {
		if old == nil {
			return nil, &policy.Unknown{What: "list", Name: at.String()}
		}
		return nil, nil
	})
}

// Adopt makes the store the owner of a list whose file is gone. Files are staff's.
func Adopt(at policy.Place) Change {
	ch := listChange("list.adopt", at, nil)
	ch.needs = []need{{access.ReloadFiles, whole}}
	ch.edit = func(e *edit) error { return e.Adopt(at) }
	return ch
}

// Restate makes a list what it says, and the tenant and the user where there are
// none. What says again what a file says changes nothing.
func Restate(at policy.Place, state policy.ListState, entries []policy.Entry) Change {
	ch := Replace(at, &state, entries).Making()
	replace, says := ch.edit, policy.List{State: state, Entries: entries}
	ch.edit = func(e *edit) error {
		if says.Alike(e.State().ListAt(at)) {
			return nil
		}
		return replace(e)
	}
	return ch
}

// listChange is a change of the list at a place, from what there is to what f
// makes of it; nil is none.
func listChange(verb string, at policy.Place, f func(*edit, *policy.List) (*policy.List, error)) Change {
	return Change{
		verb: verb, name: at.String(), place: &at, needs: listNeeds(at, true), reads: listNeeds(at, false),
		tag: func(s *policy.State) *Version { return listVersion(s.ListAt(at)) },
		edit: func(e *edit) error {
			old := e.State().ListAt(at)
			if err := writable(e.State(), at, old); err != nil {
				return err
			}
			next, err := f(e, old)
			if err != nil || next.Alike(old) {
				return err
			}
			if err := e.fits(at, old, next); err != nil {
				return err
			}
			return e.setList(at, next)
		},
	}
}

func listVersion(l *policy.List) *Version {
	if l == nil {
		return nil
	}
	return &Version{l.Tag(), l}
}

// writable refuses a place that there is not, and a list that a file owns, before
// it is looked at what would become of it.
func writable(s *policy.State, at policy.Place, l *policy.List) error {
	t := s.Tenants.Get(at.Tenant)
	switch {
	case l != nil && l.Owner != "":
		return &policy.Owned{What: "list " + at.String(), File: l.Owner}
	case at.Tenant != "" && !s.HasTenant(at.Tenant):
		return &policy.Unknown{What: "tenant", Name: at.Tenant}
	case at.User != "" && (t == nil || !t.HasUser(at.User)):
		return &policy.Unknown{What: "user", Name: at.User}
	case at.Scope == policy.ScopeEndpoint && s.Endpoint(at.Endpoint) == nil:
		return &policy.Unknown{What: "endpoint", Name: at.Endpoint}
	}
	return nil
}

func (e *edit) setList(at policy.Place, l *policy.List) error {
	if at.Scope != policy.ScopeEndpoint {
		return e.SetList(at, l)
	}
	ep := e.State().Endpoint(at.Endpoint)
	return e.Secure(at.Endpoint, l, ep.Verify, ep.Security)
}

// fits refuses a list that grows beyond what one may hold. One that was larger
// already may shrink.
func (e *edit) fits(at policy.Place, old, next *policy.List) error {
	if next == nil || len(next.Entries) <= e.maxEntries || old != nil && len(next.Entries) <= len(old.Entries) {
		return nil
	}
	r := refuse(Full, "%s would have more than the %d entries that a list may have", at, e.maxEntries)
	r.Names = listed(at.String())
	return r
}

// judged is what makes two entries the same however they are spelled.
type judged struct {
	addr.Range
	policy.Action
}

func judges(e *policy.Entry) judged { return judged{e.Range, e.Action} }

// carry is entries with the authors and times of those of old that judge alike.
func (e *edit) carry(old *policy.List, entries []policy.Entry) []policy.Entry {
	was := map[judged][]policy.Entry{}
	if old != nil {
		for _, o := range old.Entries {
			was[judges(&o)] = append(was[judges(&o)], o)
		}
	}
	next := make([]policy.Entry, len(entries))
	for i, n := range entries {
		n.By = e.Stamp
		if same := was[judges(&n)]; len(same) > 0 {
			was[judges(&n)] = same[1:]
			if n.By = same[0].By; !n.Alike(&same[0]) {
				n.By = e.modified(same[0].By)
			}
		}
		next[i] = n
	}
	return next
}

// modified is who wrote an entry first, with when it was changed last.
func (e *edit) modified(by *policy.Stamp) *policy.Stamp {
	if by == nil {
		return e.Stamp
	}
	return &policy.Stamp{Author: by.Author, Created: by.Created, Modified: e.Now}
}

// missing refuses entries that are not there, each by its place in the request.
func missing(at policy.Place, l *policy.List, which []Which) error {
	if l == nil {
		return &policy.Unknown{What: "list", Name: at.String()}
	}
	have := make(map[addr.Range]int, len(which)) // bits by action
	for _, w := range which {
		have[w.Range] = 0
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		if bits, wanted := have[e.Range]; wanted {
			have[e.Range] = bits | 1<<e.Action
		}
	}
	r := &Refusal{Kind: NotFound, Names: listed(at.String())}
	for i, w := range which {
		if bits := have[w.Range]; bits == 0 || w.Action != nil && bits&(1<<*w.Action) == 0 {
			r.Mistakes = append(r.Mistakes, Mistake{Path: fmt.Sprintf("entries[%d]", i), What: fmt.Sprintf("%s has no entry %s", at, addr.String(w.Range))})
		}
	}
	if len(r.Mistakes) == 0 {
		return nil
	}
	r.What = r.Mistakes[0].What
	return r
}
