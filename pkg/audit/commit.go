package audit

import (
	"strings"

	"github.com/postern-io/postern/pkg/policy"
)

// Committed is what is told of a revision, and of the records it changed.
func Committed(c *policy.Commit, before, after policy.Image) (Record, error) {
	was, is, err := Images(before, after)
	if err != nil {
		return Record{}, err
	}
	told := policy.Told{Action: action(c)}
	if c.Told != nil {
		told = *c.Told
	}
	return Record{
		Actor:    Actor{ID: c.Author.Key, Name: c.Author.Name, Tenant: c.Author.Tenant, From: c.Author.From},
		Action:   told.Action,
		Type:     typeOf(before, after),
		Objects:  c.Names,
		Tenants:  TenantsOf(c.Names),
		Origin:   c.Origin,
		Reason:   c.Reason,
		Forced:   told.Forced,
		Revision: c.Number,
		Before:   was,
		After:    is,
		Trace:    told.Trace,
	}, nil
}

// action is what a commit does, by what all it changes has in common.
func action(c *policy.Commit) string {
	switch {
	case c.Outcome == policy.Confirmed:
		return "revision.confirm"
	case c.Reverts != 0:
		return "revision.revert"
	case c.Origin == "files":
		return "files.read"
	}
	kind := ""
	for _, name := range c.Names {
		k := kindOf(name)
		if kind != "" && kind != k {
			return "revision.write"
		}
		kind = k
	}
	return kind + ".write"
}

// kindOf is what a record's name is the name of.
func kindOf(name string) string {
	switch parts := strings.Split(name, "/"); {
	case parts[0] == "endpoints":
		return "endpoint"
	case parts[0] == "tenants" && len(parts) == 2:
		return "tenant"
	case len(parts) > 1:
		return "list"
	}
	return name
}

// typeOf says whether all of a change is new, or gone.
func typeOf(before, after policy.Image) Type {
	switch {
	case before.Absent() && !after.Absent():
		return Creation
	case after.Absent() && !before.Absent():
		return Deletion
	}
	return Change
}
