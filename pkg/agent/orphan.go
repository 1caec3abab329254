package agent

import (
	"fmt"
	"maps"
	"slices"

	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/policy"
)

// keeper carries over, from one state to the next, the lists and records whose
// file could not be read. A list that the file took out itself is not carried;
// nor is one that another file now declares, or clears with lists: {}.
type keeper struct {
	files *config.Lists
}

// succeed is what follows before: what the files say, and what must be kept. A
// tenant of whom nothing is kept is the files' own pointer, which stays while its
// file does, so that nobody compiles or saves it again.
func succeed(before *policy.State, r *reading) *policy.State {
	after := r.config.With(r.lists)
	if before == nil {
		return after
	}
	k := keeper{r.lists}
	after.System = k.lists(before.System, after.System, r.lists.Clears(""))
	kept := map[string]*policy.Tenant{}
	for c := range after.Tenants.Since(before.Tenants) {
		switch {
		case c.Before == nil:
		case c.After == nil:
			kept[c.Name] = k.vanished(c.Before)
		default:
			kept[c.Name] = k.tenant(c.Before, c.After)
		}
	}
	after.Tenants = after.Tenants.Edit(kept)
	return after
}

// lists are the after ones, and of before those that must be kept.
func (k keeper) lists(before, after map[string]*policy.List, cleared bool) map[string]*policy.List {
	all := after
	for resource, old := range before {
		if after[resource] != nil || cleared || k.files.Owns(old.Owner) {
			continue
		}
		if len(all) == len(after) {
			all = make(map[string]*policy.List, len(after)+1)
			maps.Copy(all, after)
		}
		all[resource] = orphaned(old)
	}
	return all
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
func (k keeper) tenant(before, after *policy.Tenant) *policy.Tenant {
	cleared := k.files.Clears(after.ID)
	t := *after
	if len(t.Hosts) == 0 && len(before.Hosts) > 0 && !cleared && !k.files.Owns(before.Pos.File) {
		t.Hosts, t.Pos = before.Hosts, before.Pos
	}
	t.Lists = k.lists(before.Lists, after.Lists, cleared)
	t.Users = k.users(before.Users, after.Users)
	switch {
	case after.Same(&t):
		return after
	case before.Same(&t):
		return before
	}
	return &t
}

// users are the after ones' lists, and of before those that must be kept. A user
// the files name without any list is cleared.
func (k keeper) users(before, after map[string]map[string]*policy.List) map[string]map[string]*policy.List {
	all := maps.Clone(after)
	for user, old := range before {
		lists, named := after[user]
		kept := k.lists(old, lists, named && len(lists) == 0)
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
func (k keeper) vanished(t *policy.Tenant) *policy.Tenant {
	record := &policy.Tenant{ID: t.ID, Pos: t.Pos}
	gone := !k.files.Owns(t.Pos.File)
	if gone {
		record.Hosts = t.Hosts
	}
	kept := k.tenant(t, record)
	if !gone && len(kept.Lists) == 0 && len(kept.Users) == 0 {
		return nil
	}
	return kept
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
		if follows && !files.Owns(t.Pos.File) {
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
			Remedy:  "put it back, or give them up with postern lists drop",
		})
	}
	return found
}
