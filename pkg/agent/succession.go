package agent

import (
	"fmt"
	"maps"
	"slices"

	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/policy"
)

// successor is what follows a state: what the files say, what must be kept of
// files that could not be read, and what the store owns. A list that its file took
// out itself is not carried; nor is one that another file now declares, or clears
// with lists: {}.
type successor struct {
	files *config.Lists
	cede  []policy.Place // what the store gives up where a file claims it
	by    By             // who has it give that up

	state   *policy.State
	names   []string        // of the records that are not as before
	clashes policy.Problems // what a file and the store both own
	ceded   policy.Image    // what the store gave up
}

// succeed is what follows before. A tenant of whom nothing is kept is the files'
// own pointer, which stays while its file does, so that nobody compiles or saves
// it again.
func succeed(before *policy.State, r *reading, cede []policy.Place) *successor {
	s := &successor{files: r.lists, cede: cede, state: r.config.With(r.lists), ceded: policy.Image{Lists: map[policy.Place]*policy.List{}}}
	if before == nil {
		before = &policy.State{}
	}
	after := s.state
	after.System = s.lists(policy.Place{Scope: policy.ScopeSystem}, before.System, after.System, r.lists.Clears(""))
	kept := map[string]*policy.Tenant{}
	for c := range after.Tenants.Since(before.Tenants) {
		switch {
		case c.Before == nil:
		case c.After == nil:
			kept[c.Name] = s.vanished(c.Before)
		default:
			kept[c.Name] = s.tenant(c.Before, c.After)
		}
	}
	after.Tenants = after.Tenants.Edit(kept)
	after.Endpoints = s.endpoints(before, after.Endpoints)
	s.filtering(before)
	s.names = differences(before, after)
	return s
}

// lists are the after ones, and of before those that must be kept.
func (s *successor) lists(at policy.Place, before, after map[string]*policy.List, cleared bool) map[string]*policy.List {
	all := after
	for resource, old := range before {
		at.Resource = resource
		if !s.keeps(at, old, after[resource], cleared) {
			continue
		}
		if len(all) == len(after) {
			all = make(map[string]*policy.List, len(after)+1)
			maps.Copy(all, after)
		}
		all[resource] = s.asKept(old)
	}
	return all
}

// keeps reports whether old stays, where the files now say is.
func (s *successor) keeps(at policy.Place, old, is *policy.List, cleared bool) bool {
	switch {
	case old.Owner != "":
		return is == nil && !cleared && !s.files.Owns(old.Owner)
	case is == nil:
		return true
	case slices.Contains(s.cede, at):
		s.ceded.Lists[at] = old
		return false
	}
	s.clash(is.Pos, "list "+at.String(), "remove it there, or give up the store's with postern lists release "+at.String())
	return false
}

func (s *successor) clash(pos policy.Pos, what, remedy string) {
	s.clashes = append(s.clashes, policy.Problem{Pos: pos, What: what + " stands in this file and in the store", Remedy: remedy})
}

// asKept is a kept list: an orphan, unless it is the store's.
func (s *successor) asKept(l *policy.List) *policy.List {
	if l.Owner == "" {
		return l
	}
	return orphaned(l)
}

func orphaned(l *policy.List) *policy.List {
	if l.Orphaned {
		return l
	}
	o := *l
	o.Orphaned = true
	return &o
}

// tenant is one that the files name, with what must be kept of it.
func (s *successor) tenant(before, after *policy.Tenant) *policy.Tenant {
	cleared := s.files.Clears(after.ID)
	t := after
	switch {
	case before.Stored && after.Owner != "":
		s.clash(after.Pos, "the record of tenant "+after.ID, "remove it there, or in the store")
	case before.Stored:
		t = after.With(before.Record())
	case after.Owner == "" && before.Owner != "" && !cleared && !s.files.Owns(before.Owner):
		t = after.With(before.AsRecord())
		t.Stored, t.Owner, t.Pos = false, before.Owner, before.Pos
	}
	kept := *t
	kept.Lists = s.lists(policy.Place{Scope: policy.ScopeTenant, Tenant: after.ID}, before.Lists, after.Lists, cleared)
	kept.Users = s.users(before, after.Users)
	switch {
	case after.Same(&kept):
		return after
	case before.Same(&kept):
		return before
	}
	return &kept
}

// users are the after ones' lists, and of before those that must be kept. A user
// the files name without any list is cleared.
func (s *successor) users(before *policy.Tenant, after map[string]map[string]*policy.List) map[string]map[string]*policy.List {
	all := maps.Clone(after)
	for user, old := range before.Users {
		lists, named := after[user]
		at := policy.Place{Scope: policy.ScopeUser, Tenant: before.ID, User: user}
		kept := s.lists(at, old, lists, named && len(lists) == 0)
		if len(kept) == 0 {
			continue
		}
		if all == nil {
			all = map[string]map[string]*policy.List{}
		}
		all[user] = kept
	}
	return all
}

// vanished is a tenant that no file names any more; nil where nothing of it must
// be kept.
func (s *successor) vanished(t *policy.Tenant) *policy.Tenant {
	if t.Pos.File == "" {
		return t // no file ever did
	}
	record := &policy.Tenant{ID: t.ID, Pos: t.Pos}
	gone := !s.files.Owns(t.Pos.File)
	if !gone {
		record.Pos = policy.Pos{}
	}
	kept := s.tenant(t, record)
	if !gone && !kept.Stored && len(kept.Lists) == 0 && len(kept.Users) == 0 {
		return nil
	}
	return kept
}

// endpoints are the files', with the security that the store has for them, and
// the store's own. What the store has for one that its file took out waits for it
// to come back: it must not come back open.
func (s *successor) endpoints(known *policy.State, after []*policy.Endpoint) []*policy.Endpoint {
	stored := map[string]*policy.Endpoint{}
	before := known.Endpoints
	for _, ep := range slices.Concat(before, known.Dormant) {
		if ep.Pos.File == "" || ep.Secured {
			stored[ep.Name] = ep
		}
	}
	if len(stored) == 0 {
		return after
	}
	all := make([]*policy.Endpoint, 0, len(after)+len(stored))
	for _, ep := range after {
		all = append(all, s.secured(ep, stored[ep.Name]))
		delete(stored, ep.Name)
	}
	for _, ep := range slices.Concat(before, known.Dormant) {
		switch {
		case stored[ep.Name] == nil:
		case ep.Pos.File == "":
			all = append(all, ep)
		default:
			s.state.Dormant = append(s.state.Dormant, ep)
		}
	}
	if slices.Equal(all, before) {
		return before
	}
	return all
}

// secured is a file's endpoint with the security the store has for it.
func (s *successor) secured(ep, stored *policy.Endpoint) *policy.Endpoint {
	switch {
	case stored == nil:
		return ep
	case stored.Pos.File == "":
		s.clash(ep.Pos, "endpoint "+ep.Name, "give one of them another name")
		return ep
	case ep.SaysSecurity():
		s.clash(ep.Pos, "the security of endpoint "+ep.Name, "remove policies and verificationMode there, or in the store")
		return ep
	}
	c := ep.SecuredAs(stored)
	if c.Same(stored) {
		return stored
	}
	return c
}

// filtering carries over the switch where no file holds it.
func (s *successor) filtering(before *policy.State) {
	if before.FilteringAt.File != "" || !before.FilteringOff {
		return
	}
	if at := s.state.FilteringAt; at.File != "" {
		s.clash(at, "filtering", "remove it there, or turn filtering on first")
		return
	}
	s.state.FilteringOff = true
}

// differences are the names of the lists and tenants in which two states differ.
func differences(before, after *policy.State) []string {
	var names []string
	for c := range after.ListsSince(before) {
		if c.At.Scope != policy.ScopeEndpoint && !c.Before.Same(c.After) {
			names = append(names, c.At.String())
		}
	}
	for c := range after.Tenants.Since(before.Tenants) {
		if c.Before == nil || c.After == nil {
			names = append(names, "tenants/"+c.Name)
		}
	}
	slices.Sort(names)
	return names
}

// ownersOf are the files that lists and tenants of s stand in.
func ownersOf(s *policy.State) map[string]bool {
	owners := map[string]bool{}
	for _, l := range s.Lists() {
		owners[l.Owner] = true
	}
	for _, t := range s.Tenants.All() {
		owners[t.Pos.File] = true
	}
	delete(owners, "") // the store
	return owners
}

// orphans are warnings about what stays in force of s without its file, where
// files are those last read. Where s follows from them, a tenant's record alone
// is an orphan too. A tenant that s has from the files has none.
func orphans(s *policy.State, files *config.Lists, follows bool) policy.Problems {
	lists := map[string]int{}
	count := func(all map[string]*policy.List) {
		for _, l := range all {
			if l.Orphaned {
				lists[l.Owner]++
			}
		}
	}
	count(s.System)
	for c := range s.Tenants.Since(files.Tenants) {
		t := c.After
		if t == nil {
			continue
		}
		if follows && t.Pos.File != "" && !files.Owns(t.Pos.File) {
			lists[t.Pos.File] += 0
		}
		count(t.Lists)
		for _, user := range t.Users {
			count(user)
		}
	}
	var found policy.Problems
	for _, file := range slices.Sorted(maps.Keys(lists)) {
		found = append(found, policy.Problem{
			Pos:     policy.Pos{File: file},
			Warning: true,
			What:    fmt.Sprintf("not there to be read; its lists (%d) stay in force", lists[file]),
			Remedy:  "put it back; or postern lists release NAME hands a list to the store, postern lists drop FILE gives them up",
		})
	}
	return found
}
