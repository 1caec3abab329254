package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// owner is what all files say of one tenant, or of the system.
type owner struct {
	files    []string // sorted
	tenant   *policy.Tenant
	lists    map[string]*policy.List // the system's
	record   policy.Pos              // where the tenant's record stands
	cleared  bool                    // a file says lists: {}
	problems policy.Problems         // of files that say the same thing
}

// owner joins what the files of one owner say, of which those at paths may have
// come, gone or changed; nil where none is left.
func (l *Lists) owner(id string, paths []string) *owner {
	if before := l.owners.Get(id); before != nil {
		paths = slices.Concat(before.files, paths)
	}
	slices.Sort(paths)
	o := &owner{}
	for _, path := range slices.Compact(paths) {
		if s := l.files.Get(path); s != nil && !s.unread && s.says.whose() == id {
			o.files = append(o.files, path)
			o.add(&s.says)
		}
	}
	if len(o.files) == 0 {
		return nil
	}
	return o
}

// add joins what one more file says to the rest.
func (o *owner) add(f *listFile) {
	if f.cleared && !f.record { // who writes down a record has to say lists: {} without meaning others'
		o.cleared = true
	}
	if f.tenant == nil {
		if o.lists == nil {
			o.lists = map[string]*policy.List{}
		}
		o.problems = append(o.problems, own(o.lists, f.system, "the system's")...)
		return
	}
	t := f.tenant
	switch {
	case !f.record:
	case o.record == policy.Pos{}:
		o.record = t.Pos
	default:
		o.problems = append(o.problems, twice(t.Pos, "tenant "+t.ID+" has its record", o.record))
	}
	if o.tenant == nil {
		o.tenant = t
		return
	}
	joined, problems := join(o.tenant, t)
	o.tenant, o.problems = joined, append(o.problems, problems...)
}

func (o *owner) system() map[string]*policy.List {
	if o == nil {
		return nil
	}
	return o.lists
}

func (o *owner) whole() *policy.Tenant {
	if o == nil {
		return nil
	}
	return o.tenant
}

func (o *owner) ifClashing() *owner {
	if o == nil || len(o.problems) == 0 {
		return nil
	}
	return o
}

// whose is the tenant the file is about, "" where it is the system.
func (f *listFile) whose() string {
	if f.tenant == nil {
		return ""
	}
	return f.tenant.ID
}

// join is a tenant of whom two files speak. The files' own values stay as they
// are: a later reading may share them.
func join(a, b *policy.Tenant) (*policy.Tenant, policy.Problems) {
	record := a
	if a.Owner == "" && b.Owner != "" {
		record = b
	}
	c := *record
	t := &c
	t.Lists, t.Users = map[string]*policy.List{}, map[string]map[string]*policy.List{}
	maps.Copy(t.Lists, a.Lists)
	problems := own(t.Lists, b.Lists, "tenant "+a.ID+"'s")
	for user, lists := range a.Users {
		t.Users[user] = maps.Clone(lists)
	}
	for user, lists := range b.Users {
		if t.Users[user] == nil {
			t.Users[user] = map[string]*policy.List{}
		}
		problems = append(problems, own(t.Users[user], lists, "user "+user+"'s")...)
	}
	return t, problems
}

// own adds lists that nobody else owns.
func own(all, more map[string]*policy.List, whose string) policy.Problems {
	var problems policy.Problems
	for _, resource := range slices.Sorted(maps.Keys(more)) {
		if first, ok := all[resource]; ok {
			problems = append(problems, twice(more[resource].Pos, whose+" list "+resource+" stands", first.Pos))
			continue
		}
		all[resource] = more[resource]
	}
	return problems
}

func twice(second policy.Pos, what string, first policy.Pos) policy.Problem {
	return policy.Problem{Pos: second, What: fmt.Sprintf("%s in %s already", what, first), Remedy: "keep one of them"}
}
