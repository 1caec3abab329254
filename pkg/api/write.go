package api

import (
	"net/http"
	"net/netip"

	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// one is a single change, for write.
func one(ch control.Change) ([]control.Change, error) { return []control.Change{ch}, nil }

// write makes the changes that a request comes down to, and tells what they did.
// The answer goes out when they are in force, which is all that wait=enforced
// asks for.
func (n *native) write(w http.ResponseWriter, r *http.Request, params any, changes func(*request) ([]control.Change, error)) {
	n.handle(w, r, params, func(q *request) (any, error) {
		asked, err := changes(q)
		if err != nil {
			return nil, err
		}
		for i := range asked {
			if q.match != "" {
				asked[i] = asked[i].If(q.match)
			}
			if q.create {
				asked[i] = asked[i].IfNone()
			}
		}
		return n.carryOut(q, asked)
	})
}

func (n *native) carryOut(q *request, changes []control.Change) (any, error) {
	result, err := n.Control.Write(q.Context(), q.call, changes...)
	if err != nil {
		return nil, err
	}
	told := writtenOf(result)
	if result.DryRun {
		plan, err := n.Control.Plan(q.Context(), q.call, changes...)
		if err != nil {
			return nil, err
		}
		told.Plan = planOf(q.Request, plan)
	} else if len(changes) == 1 {
		q.tag(changes[0].Tag(result.After.State))
	}
	return told, nil
}

func writtenOf(r *control.Result) v1.Written {
	told := v1.Written{
		Revision: r.Revision, Enforced: r.Enforced, DryRun: r.DryRun, Names: orNone(r.Names),
		Lists: []v1.ListChange{}, Warnings: warningsOf(r.Warnings), Confirm: r.Confirm,
	}
	for i := range r.Diff.Lists {
		d := &r.Diff.Lists[i]
		c := v1.ListChange{List: d.At.String()}
		c.Added, c.Changed, c.Removed = tally(d.Entries)
		if d.After != nil {
			c.Etag = etag(d.After.Tag())
		}
		told.Lists = append(told.Lists, c)
	}
	return told
}

// tally counts the entries that came, that read otherwise and that went.
func tally(entries []policy.EntryChange) (added, changed, removed int) {
	for _, e := range entries {
		switch {
		case e.Before == nil:
			added++
		case e.After == nil:
			removed++
		default:
			changed++
		}
	}
	return added, changed, removed
}

func warningsOf(warnings []control.Warning) []v1.Warning {
	told := make([]v1.Warning, len(warnings))
	for i, w := range warnings {
		told[i] = v1.Warning{What: w.What, Remedy: w.Remedy}
		if len(w.Names) > 0 {
			told[i].List = w.Names[0]
		}
	}
	return told
}

// orNone is texts, of which there may be none but not nothing.
func orNone(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

func planOf(r *http.Request, p *control.Plan) v1.Plan {
	told := v1.Plan{Lists: []v1.ListPlan{}, Endpoints: []v1.EndpointPlan{}, Warnings: warningsOf(p.Warnings)}
	for i := range p.Diff.Lists {
		told.Lists = append(told.Lists, listPlan(&p.Diff.Lists[i]))
	}
	for _, d := range p.Endpoints {
		told.Endpoints = append(told.Endpoints, v1.EndpointPlan{
			Endpoint: d.Endpoint, Sources: d.Seen, ShutOut: sources(d.ShutOut), LetIn: sources(d.LetIn),
		})
	}
	if len(p.Refusals) > 0 {
		told.Refusal = *refused(r, p.Refusals[0])
	}
	return told
}

// maxPrefixes of a list are told one by one.
const maxPrefixes = 1000

func listPlan(d *policy.ListDifference) v1.ListPlan {
	told := v1.ListPlan{List: d.At.String()}
	told.Added, told.Changed, told.Removed = tally(d.Entries)
	if d.Before != nil {
		told.Etag = etag(d.Before.Tag())
	}
	var more [2]int
	told.PrefixesAdded, more[0] = prefixes(d.Admits.Added)
	told.PrefixesRemoved, more[1] = prefixes(d.Admits.Removed)
	told.More = more[0] + more[1]
	return told
}

func prefixes(all []netip.Prefix) (first []string, more int) {
	told := all[:min(len(all), maxPrefixes)]
	first = make([]string, len(told))
	for i, p := range told {
		first[i] = p.String()
	}
	return first, len(all) - len(told)
}

func sources(s control.Sources) []v1.Source {
	told := make([]v1.Source, len(s.First))
	for i, a := range s.First {
		told[i] = v1.Source{Address: a.String()}
	}
	return told
}
