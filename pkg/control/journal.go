package control

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// Journal tells the audit log of the agent's commits.
type Journal struct {
	Log Log
}

// Change writes down a commit: who made it, and what it changed from what into
// what. It calls commit with the line that is to be kept together with it.
func (j Journal) Change(c *policy.Commit, before, after policy.Image, commit func(audit.Note) error) error {
	rec := audit.Record{
		Actor: actor(c.Author, 0, c.Author.Key == ""), Action: c.Origin, Objects: c.Names, Tenants: tenantsOf(c.Names),
		Origin: c.Origin, Reason: c.Reason, Revision: c.Number,
	}
	if c.Told != nil {
		rec.Action, rec.Trace, rec.Forced = c.Told.Action, c.Told.Trace, c.Told.Forced
	}
	was, is := tell(policy.Differ(before, after, c.Time))
	rec.Type = typeOf(len(was) == 0 && len(is) > 0, len(is) == 0 && len(was) > 0)
	var err error
	if rec.Before, err = content(was); err != nil {
		return fmt.Errorf("journal revision %d: %w", c.Number, err)
	}
	if rec.After, err = content(is); err != nil {
		return fmt.Errorf("journal revision %d: %w", c.Number, err)
	}
	return j.Log.Change(rec, commit)
}

func actor(a policy.Author, uid int, local bool) audit.Actor {
	who := audit.Actor{ID: a.Key, Name: a.Name, From: a.From}
	if local && a.Name != nobody.Name {
		who.ID = fmt.Sprintf("uid:%d", uid)
	}
	return who
}

func typeOf(made, gone bool) audit.Type {
	switch {
	case made:
		return audit.Creation
	case gone:
		return audit.Deletion
	}
	return audit.Change
}

func content(records map[string]any) (json.RawMessage, error) {
	if len(records) == 0 {
		return nil, nil
	}
	return json.Marshal(records)
}

// tell is a difference as two JSON objects by record. Of a list they hold the
// entries that changed: the others are in neither.
func tell(d policy.Difference) (before, after map[string]any) {
	before, after = map[string]any{}, map[string]any{}
	for _, l := range d.Lists {
		was, is := &tellList{}, &tellList{}
		for _, e := range l.Entries {
			was.add(e.Before)
			is.add(e.After)
		}
		put(before, l.At.String(), was, l.Before)
		put(after, l.At.String(), is, l.After)
	}
	for _, t := range d.Tenants {
		if t.Before != nil {
			before["tenants/"+t.Name] = t.Before
		}
		if t.After != nil {
			after["tenants/"+t.Name] = t.After
		}
	}
	for _, e := range d.Endpoints {
		if e.Before != nil {
			before["endpoints/"+e.Name] = tellEndpoint(e.Before)
		}
		if e.After != nil {
			after["endpoints/"+e.Name] = tellEndpoint(e.After)
		}
	}
	if d.Filtering != nil {
		before["filtering"], after["filtering"] = SwitchTag(d.Filtering.Before), SwitchTag(d.Filtering.After)
	}
	return before, after
}

func put(into map[string]any, name string, told *tellList, l *policy.List) {
	if l != nil {
		told.State = l.State.String()
		into[name] = told
	}
}

type tellList struct {
	State   string      `json:"state"`
	Entries []tellEntry `json:"entries,omitempty"`
}

type tellEntry struct {
	Address  string    `json:"address"`
	Action   string    `json:"action"`
	Comment  string    `json:"comment,omitempty"`
	Disabled bool      `json:"disabled,omitempty"`
	Expires  time.Time `json:"expires,omitzero"`
}

func (l *tellList) add(e *policy.Entry) {
	if e != nil {
		l.Entries = append(l.Entries, tellEntry{e.Text, e.Action.String(), e.Comment, e.Disabled, e.Expires})
	}
}

// tellEndpoint is an endpoint without what opens it: of credentials the names.
func tellEndpoint(ep *policy.Endpoint) *policy.Endpoint {
	told := *ep
	if ep.Security == nil {
		return &told
	}
	security := *ep.Security
	security.Credentials = nil
	for _, c := range ep.Security.Credentials {
		security.Credentials = append(security.Credentials, policy.Credential{Username: c.Username})
	}
	security.Headers = nil
	for _, h := range ep.Security.Headers {
		security.Headers = append(security.Headers, policy.HeaderRule{Name: h.Name, Regex: h.Regex})
	}
	told.Security = &security
	return &told
}
