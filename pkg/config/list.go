package config

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// listFile is what one list file says.
type listFile struct {
	system  map[string]*policy.List
	tenant  *policy.Tenant // nil: the file is about the system's lists
	record  bool           // the file holds the tenant's record, which is all but lists
	staff   bool           // self_service is said
	cleared bool           // lists: {}
}

// listFile is the shape of a list file.
func (r *reader) listFile(n *yaml.Node) listFile {
	var f listFile
	if !r.is("a list file", n, yaml.MappingNode) {
		return f
	}
	var system, hasLists, hasUsers bool
	selfService := true
	tenant := &policy.Tenant{Pos: r.at(n)}
	var lists map[string]*policy.List
	record := func(part read) read {
		return func(what string, n *yaml.Node) {
			f.record, tenant.Owner = true, r.file
			part(what, n)
		}
	}
	r.mapping("a list file", n, fields{
		"system": r.either(&system, "true", "false"),
		"tenant": r.scalar(func(n *yaml.Node, text string) { tenant.ID, tenant.Pos = text, r.at(n) }),
		"name":   record(r.text(&tenant.Name)),
		"hosts":  record(r.hosts(&tenant.Hosts)),
		"self_service": record(func(what string, n *yaml.Node) {
			f.staff = true
			r.either(&selfService, "true", "false")(what, n)
		}),
		"attributes": record(r.free(&tenant.Attributes)),
		"lists": func(what string, n *yaml.Node) {
			hasLists = true
			lists = r.lists(what, n)
			f.cleared = n.Kind == yaml.MappingNode && len(n.Content) == 0
		},
		"users": func(what string, n *yaml.Node) {
			hasUsers = true
			tenant.Users = r.users(what, n)
		},
	})
	tenant.StaffOnly = !selfService
	switch {
	case system && (tenant.ID != "" || f.record || hasUsers):
		r.faultf(n, "make it two files", "a file with system: true is about no tenant")
	case !system && tenant.ID == "":
		r.faultf(n, "write tenant: ID, or system: true", "the file does not say whose lists it holds")
	case !hasLists && !hasUsers:
		r.faultf(n, "write lists: {} for none", "the file holds no lists")
	}
	switch {
	case system:
		f.system = lists
	case tenant.ID != "":
		tenant.Lists = lists
		f.tenant = tenant
	}
	return f
}

func (r *reader) users(what string, n *yaml.Node) map[string]map[string]*policy.List {
	users := map[string]map[string]*policy.List{}
	r.pairs(what, n, func(key, val *yaml.Node) {
		users[key.Value] = r.lists("user "+key.Value, val)
	})
	return users
}

// lists are the lists of one scope, by resource.
func (r *reader) lists(what string, n *yaml.Node) map[string]*policy.List {
	if null(n) {
		r.faultf(n, "write {} for none", "%s has no value", what)
		return nil
	}
	lists := map[string]*policy.List{}
	r.pairs(what, n, func(key, val *yaml.Node) {
		list := &policy.List{Owner: r.file, Pos: r.at(key)}
		r.list(list, key.Value, val)
		lists[key.Value] = list
	})
	return lists
}

// list is a sequence of entries, or a mapping of a state and the entries.
func (r *reader) list(list *policy.List, name string, n *yaml.Node) {
	what := "list " + name
	if n.Kind != yaml.MappingNode {
		r.entries(list, what, n)
		return
	}
	var has bool
	r.mapping(what, n, fields{
		"state": choose(r, &list.State, policy.ListOn, policy.ListMonitor, policy.ListOff),
		"entries": func(_ string, n *yaml.Node) {
			has = true
			r.entries(list, what, n)
		},
	})
	if !has {
		r.faultf(n, "write entries: [] for none", "%s has no entries", what)
	}
}

func (r *reader) entries(list *policy.List, what string, n *yaml.Node) {
	if null(n) {
		r.faultf(n, "write [] for no entries", "%s has no value", what)
		return
	}
	if !r.is(what, n, yaml.SequenceNode) {
		return
	}
	list.Entries = make([]policy.Entry, 0, len(n.Content))
	for _, it := range n.Content {
		e, ok := r.entry(it)
		if !ok {
			// What cannot be read admits nobody, and its list goes on restricting.
			e = policy.Entry{Disabled: true, Pos: r.at(it)}
		}
		list.Entries = append(list.Entries, e)
	}
}

// entry is an address expression, or a mapping with more about it.
func (r *reader) entry(n *yaml.Node) (policy.Entry, bool) {
	if word, ok := endsInColon(n); ok {
		r.found = append(r.found, r.trap(n.Line, word))
		return policy.Entry{}, false
	}
	if n.Kind == yaml.MappingNode {
		return r.entryMapping(n)
	}
	if !r.is("an entry", n, yaml.ScalarNode) {
		return policy.Entry{}, false
	}
	rg, err := addr.Parse(n.Value)
	if err != nil {
		r.mistake(n, err)
		return policy.Entry{}, false
	}
	return policy.Entry{Text: n.Value, Range: rg, Pos: r.at(n)}, true
}

func (r *reader) entryMapping(n *yaml.Node) (policy.Entry, bool) {
	before := len(r.found)
	e := policy.Entry{Pos: r.at(n)}
	var address, start, end string
	enabled := true
	r.mapping("an entry", n, fields{
		"address":      r.text(&address),
		"startAddress": r.text(&start),
		"endAddress":   r.optional(&end),
		"action":       choose(r, &e.Action, policy.Allow, policy.Deny),
		"comment":      r.text(&e.Comment),
		"enabled":      r.either(&enabled, "true", "false"),
		"expires":      r.moment(&e.Expires),
	})
	e.Disabled = !enabled
	if len(r.found) > before {
		return e, false
	}
	if (address == "") == (start == "") || start == "" && end != "" {
		r.faultf(n, "write address, or startAddress and endAddress", "an entry names no address, or two")
		return e, false
	}
	e.Text = address
	rg, err := addr.Parse(address)
	if start != "" {
		e.Text = pairText(start, end)
		rg, err = addr.ParsePair(start, end)
	}
	if err != nil {
		r.mistake(n, err)
		return e, false
	}
	e.Range = rg
	return e, true
}

func pairText(start, end string) string {
	if end == "" {
		return start
	}
	return start + "-" + end
}

// optional is text that may be left empty: one address has no end.
func (r *reader) optional(into *string) read {
	text := r.text(into)
	return func(what string, n *yaml.Node) {
		if !null(n) {
			text(what, n)
		}
	}
}

func (r *reader) moment(into *time.Time) read {
	return r.scalar(func(n *yaml.Node, text string) {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			r.faultf(n, "write it like 2027-01-31T00:00:00Z", "expires is %q, not an RFC 3339 time with its zone", text)
			return
		}
		*into = at
	})
}
