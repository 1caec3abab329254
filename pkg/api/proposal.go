package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/postern-io/postern/pkg/api/body"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// Apply makes many changes in one revision.
func (n *native) Apply(w http.ResponseWriter, r *http.Request) {
	n.write(w, r, &v1.ApplyParams{}, func(q *request) ([]control.Change, error) {
		var p proposal
		if err := q.body(p.shape()); err != nil {
			return nil, err
		}
		return p.all(), nil
	})
}

// Plan says what changes would do.
func (n *native) Plan(w http.ResponseWriter, r *http.Request) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		var p proposal
		if err := q.body(p.shape()); err != nil {
			return nil, err
		}
		plan, err := n.Control.Plan(r.Context(), q.call, p.all()...)
		if err != nil {
			return nil, err
		}
		return planOf(r, plan), nil
	})
}

// proposal is many changes: what list files would say, and then others by one.
type proposal struct {
	documents []document
	changes   []change
}

func (p *proposal) shape() body.Shape {
	return body.Check(body.Object(body.Fields{
		"documents": body.Each(&p.documents, (*document).shape),
		"changes":   body.Each(&p.changes, (*change).shape),
	}), func() error {
		if p.documents == nil && p.changes == nil {
			return &body.Mistake{What: "it proposes nothing", Remedy: "write documents or changes"}
		}
		return nil
	})
}

// document is what one list file says.
type document struct {
	system bool
	tenant string
	record tenantSpec
	lists  map[string]*content
	users  map[string]map[string]*content
}

func (d *document) shape() body.Shape {
	fields := d.record.fields("self_service")
	maps.Copy(fields, body.Fields{
		"system": body.Flag(&d.system),
		"tenant": id(&d.tenant),
		"lists":  listsShape(&d.lists),
		"users": body.Pairs(func(user string) body.Shape {
			if d.users == nil {
				d.users = map[string]map[string]*content{}
			}
			lists := d.users[user]
			return body.Check(listsShape(&lists), func() error {
				d.users[user] = lists
				return validID(user)
			})
		}),
	})
	return body.Check(body.Object(fields), d.check)
}

func listsShape(into *map[string]*content) body.Shape {
	return body.Pairs(func(resource string) body.Shape {
		if *into == nil {
			*into = map[string]*content{}
		}
		c := &content{}
		(*into)[resource] = c
		return c.shape()
	})
}

func (d *document) check() error {
	switch {
	case d.system && (d.tenant != "" || d.record.said() || d.users != nil):
		return &body.Mistake{What: "a document with system: true is about no tenant", Remedy: "make it two documents"}
	case !d.system && d.tenant == "":
		return &body.Mistake{What: "it does not say whose lists it holds", Remedy: "write tenant, or system: true"}
	}
	return nil
}

// id is the id of a tenant or a user.
func id(into *string) body.Shape {
	return body.Check(body.Text(into), func() error { return validID(*into) })
}

func validID(text string) error {
	if policy.ValidID(text) {
		return nil
	}
	return &body.Mistake{
		What:   fmt.Sprintf("%.80q is no id", text),
		Remedy: "use letters, digits and . _ -, at most 64, a letter or digit first",
	}
}

// changes are what a document comes down to. That of the lists needs to know neither
// whether there is the tenant nor a user: nobody has asked yet whether the caller
// may.
func (d *document) changes() []control.Change {
	if d.system {
		return replacing(policy.Place{Scope: policy.ScopeSystem}, d.lists)
	}
	var all []control.Change
	switch {
	case d.record.said():
		all = append(all, control.Describe(d.tenant, d.record.apply))
	case len(d.lists)+len(d.users) == 0:
		all = append(all, control.Ensure(d.tenant, ""))
	}
	all = append(all, replacing(policy.Place{Scope: policy.ScopeTenant, Tenant: d.tenant}, d.lists)...)
	for _, user := range slices.Sorted(maps.Keys(d.users)) {
		if len(d.users[user]) == 0 {
			all = append(all, control.Ensure(d.tenant, user))
		}
		all = append(all, replacing(policy.Place{Scope: policy.ScopeUser, Tenant: d.tenant, User: user}, d.users[user])...)
	}
	return all
}

func replacing(at policy.Place, lists map[string]*content) []control.Change {
	var all []control.Change
	for _, resource := range slices.Sorted(maps.Keys(lists)) {
		at.Resource = resource
		c := lists[resource]
		all = append(all, control.Restate(at, c.state, c.entries))
	}
	return all
}

// change is one of a single list.
type change struct {
	at      policy.Place
	op      v1.ChangeOp
	state   policy.ListState
	stated  body.Said
	entries []policy.Entry
	match   string
}

func (c *change) shape() body.Shape {
	var name, tag string
	ops := map[string]v1.ChangeOp{}
	for _, op := range []v1.ChangeOp{v1.ChangeOpReplace, v1.ChangeOpAdd, v1.ChangeOpRemove, v1.ChangeOpState, v1.ChangeOpDelete} {
		ops[string(op)] = op
	}
	return body.Check(body.Object(body.Fields{
		"list": body.Check(body.Text(&name), func() (err error) {
			c.at, err = policy.ParsePlace(name)
			return err
		}),
		"op":      body.Choose(&c.op, ops),
		"state":   given(&c.stated, listState(&c.state)),
		"entries": body.Each(&c.entries, body.Entry),
		"etag": body.Check(body.Text(&tag), func() error {
			var ok bool
			if c.match, ok = untag(tag); !ok {
				return &body.Mistake{What: fmt.Sprintf("%.80q is no ETag", tag), Remedy: "send the one of the answer, with its quotes"}
			}
			return nil
		}),
	}, "list", "op"), c.check)
}

// check finds what does not go together.
func (c *change) check() error {
	takesEntries := c.op == v1.ChangeOpReplace || c.op == v1.ChangeOpAdd || c.op == v1.ChangeOpRemove
	takesState := c.op == v1.ChangeOpReplace || c.op == v1.ChangeOpState
	switch {
	case takesEntries && c.entries == nil:
		return &body.Mistake{What: "op " + string(c.op) + " has no entries", Remedy: "write entries"}
	case !takesEntries && c.entries != nil:
		return &body.Mistake{What: "op " + string(c.op) + " takes no entries"}
	case c.op == v1.ChangeOpState && c.stated == body.Absent:
		return &body.Mistake{What: "op state has no state", Remedy: "write state"}
	case !takesState && c.stated != body.Absent:
		return &body.Mistake{What: "op " + string(c.op) + " takes no state"}
	}
	return nil
}

func (c *change) change() control.Change {
	switch c.op {
	case v1.ChangeOpAdd:
		return control.Add(c.at, c.entries...).If(c.match)
	case v1.ChangeOpRemove:
		return control.Remove(c.at, whichOf(c.entries)...).If(c.match)
	case v1.ChangeOpState:
		return control.SetState(c.at, c.state).If(c.match)
	case v1.ChangeOpDelete:
		return control.Delete(c.at).If(c.match)
	}
	var state *policy.ListState
	if c.stated != body.Absent {
		state = &c.state
	}
	return control.Replace(c.at, state, c.entries).If(c.match)
}

// whichOf names entries as they are written; whichever action stands there.
func whichOf(entries []policy.Entry) []control.Which {
	which := make([]control.Which, len(entries))
	for i := range entries {
		which[i] = control.Which{Range: entries[i].Range}
	}
	return which
}

// all are the changes of a proposal.
func (p *proposal) all() []control.Change {
	var all []control.Change
	for i := range p.documents {
		all = append(all, p.documents[i].changes()...)
	}
	for i := range p.changes {
		all = append(all, p.changes[i].change())
	}
	return all
}
