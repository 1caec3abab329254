package control

import (
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// Change is one edit of one record, to be made by Service.Write.
type Change struct {
	verb  string // for the journal: "list.replace"
	name  string // the record's
	place *policy.Place
	needs []need // to make it
	reads []need // to be told what it would do
	match string // what the record's tag must be; "*": any; "": it does not matter
	none  bool   // there must be no such record
	tag   func(*policy.State) *Version
	edit  func(*edit) error
}

// If has the change refused where the record's tag is another; "*" is any there
// is.
func (ch Change) If(tag string) Change {
	ch.match = tag
	return ch
}

// IfNone has the change refused where there is such a record.
func (ch Change) IfNone() Change {
	ch.none = true
	return ch
}

// Making has a change of a list make the tenant and the user whose list it is, where
// there are none. That takes rights of its own, which are asked when it comes to it:
// asked before, the answer would tell who may not know whether there is the tenant.
func (ch Change) Making() Change {
	change, at := ch.edit, *ch.place
	ch.edit = func(e *edit) error {
		if err := e.ensure(at.Tenant, at.User); err != nil {
			return err
		}
		return change(e)
	}
	return ch
}

// Tag is that of the change's record in s, "" where there is none.
func (ch Change) Tag(s *policy.State) string {
	if ch.tag == nil {
		return ""
	}
	if is := ch.tag(s); is != nil {
		return is.Tag
	}
	return ""
}

// Moment is when a change is made, and by whom.
type Moment struct {
	Now   time.Time
	Stamp *policy.Stamp // for the entries that are new
}

// edit is a change on its way into a draft.
type edit struct {
	*policy.Draft
	Moment
	call       *Call
	rights     bool // false: it is only asked what it would do
	maxEntries int
}

// permit refuses what turns out to take more rights than the change itself. Who only
// asks what it would do needs them too, unless it may read every tenant: whether a
// host is free, only who has it can say.
func (e *edit) permit(needs ...need) error {
	if !e.rights && e.call.who().May(access.ReadTenants, whole) {
		return nil
	}
	return e.lacks(needs...)
}

func (e *edit) lacks(needs ...need) error {
	return e.call.lacks(&policy.Table{State: e.State()}, needs...)
}

// asks are the rights that a change takes: those to read, where it is only asked
// what it would do.
func (e *edit) asks(ch Change) []need {
	if e.rights {
		return ch.needs
	}
	return ch.reads
}

// matches refuses a change that was made against something else than there is.
func (ch *Change) matches(s *policy.State) error {
	if ch.match == "" && !ch.none {
		return nil
	}
	is := ch.tag(s)
	switch {
	case ch.none && is != nil:
	case ch.none, ch.match == "*" && is != nil, is != nil && ch.match == is.Tag:
		return nil
	}
	r := refuse(Changed, "%s is not what you saw", ch.name)
	r.Names, r.Current = listed(ch.name), is
	return r
}

// apply makes changes in a draft: all of them, or it is an error. What each was
// made against is what there was before the first.
func apply(e *edit, changes []Change) error {
	for i := range changes {
		if err := changes[i].matches(e.State()); err != nil {
			return changes[i].withYours(e, err)
		}
	}
	for _, ch := range changes {
		if err := ch.edit(e); err != nil {
			return err
		}
	}
	return nil
}

// withYours adds to a refusal what the change would have made of the record.
func (ch *Change) withYours(e *edit, err error) error {
	r := err.(*Refusal)
	if tried := (&edit{policy.NewDraft(e.State()), e.Moment, e.call, e.rights, e.maxEntries}); ch.edit(tried) == nil {
		r.Yours = ch.tag(tried.State())
	}
	return r
}

// names are the records that changes are about, each once.
func names(changes []Change) []string {
	all := make([]string, len(changes))
	for i, ch := range changes {
		all[i] = ch.name
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// verb is what changes do, in the journal's words.
func verb(changes []Change) string {
	for _, ch := range changes[1:] {
		if ch.verb != changes[0].verb {
			return "apply"
		}
	}
	return changes[0].verb
}

func needsOf(changes []Change, of func(Change) []need) []need {
	var all []need
	for _, ch := range changes {
		all = append(all, of(ch)...)
	}
	return all
}

// listNeeds are the rights on the list at a place. An endpoint's own is part of
// its security.
func listNeeds(at policy.Place, write bool) []need {
	switch t := access.At(at); {
	case !write && at.Scope == policy.ScopeEndpoint:
		return []need{{access.ReadEndpoints, t}}
	case !write:
		return []need{{access.ReadLists, t}}
	case at.Scope == policy.ScopeEndpoint:
		return []need{{access.WriteSecurity, t}}
	default:
		return []need{{access.WriteLists, t}}
	}
}
