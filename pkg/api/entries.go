package api

import (
	"strconv"
	"time"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/body"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/policy"
)

// content is what a list is to hold.
type content struct {
	state   policy.ListState
	entries []policy.Entry
}

// object is the list with its state, which is "on" where it is left out.
func (c *content) object() body.Shape {
	return body.Object(body.Fields{
		"state":   listState(&c.state),
		"entries": body.Each(&c.entries, body.Entry),
	}, "entries")
}

// shape is the same, or the entries alone.
func (c *content) shape() body.Shape {
	return body.Either(body.Each(&c.entries, body.Entry), c.object())
}

func listState(into *policy.ListState) body.Shape {
	return body.Choose(into, body.Words(policy.ListOn, policy.ListMonitor, policy.ListOff))
}

func statePatch(into *policy.ListState) body.Shape {
	return body.Object(body.Fields{"state": listState(into)}, "state")
}

// batch are entries to add, of which there must be one.
func batch(into *[]policy.Entry) body.Shape {
	entries := body.Each(into, body.Entry)
	return body.Object(body.Fields{"entries": body.Check(entries, func() error {
		if len(*into) == 0 {
			return &body.Mistake{What: "there are none"}
		}
		return nil
	})}, "entries")
}

// entryPatch is what of an entry is to change.
type entryPatch struct {
	action           policy.Action
	comment          string
	enabled          bool
	expires          time.Time
	act, say, on, at body.Said
}

func (p *entryPatch) shape() body.Shape {
	return body.Check(body.Object(body.Fields{
		"action":  given(&p.act, body.Choose(&p.action, body.Words(policy.Allow, policy.Deny))),
		"comment": body.Noted(&p.say, body.Line(&p.comment, policy.MaxComment)),
		"enabled": given(&p.on, body.Flag(&p.enabled)),
		"expires": body.Noted(&p.at, body.Time(&p.expires)),
	}), func() error {
		if p.act+p.say+p.on+p.at == body.Absent {
			return &body.Mistake{What: "it changes nothing", Remedy: "write action, comment, enabled or expires"}
		}
		return nil
	})
}

// given is a value that may be left out, but not null.
func given(said *body.Said, shape body.Shape) body.Shape {
	return body.Check(shape, func() error { *said = body.Given; return nil })
}

func (p *entryPatch) apply(e *policy.Entry) {
	if p.act != body.Absent {
		e.Action = p.action
	}
	if p.say != body.Absent {
		e.Comment = p.comment
	}
	if p.on != body.Absent {
		e.Disabled = !p.enabled
	}
	if p.at != body.Absent {
		e.Expires = p.expires
	}
}

// entryOf is e as of now.
func entryOf(e *policy.Entry, now time.Time) v1.Entry {
	told := v1.Entry{
		Address: e.Text, Canonical: addr.String(e.Range), Action: v1.Action(e.Action.String()), Comment: e.Comment,
		Enabled: !e.Disabled, Live: e.Live(now), Expires: e.Expires, At: v1.Pos(e.Pos),
	}
	if e.By != nil {
		told.Author, told.Created, told.Modified = e.By.Author, e.By.Created, e.By.Modified
	}
	return told
}

// wanted are the entries that are asked for; its zero value wants all.
type wanted struct {
	holds  addr.Range // IPv4's and IPv6's zero Range is none
	action string
	live   *bool
}

func entriesWanted(p *v1.ListEntriesParams) (wanted, error) {
	w := wanted{action: string(value(p.Action)), live: p.Live}
	if p.Address == nil {
		return w, nil
	}
	var err error
	if w.holds, err = addr.Parse(*p.Address); err != nil {
		return w, wrong("address", err.Error(), "")
	}
	return w, nil
}

func (w *wanted) takes(e *policy.Entry, now time.Time) bool {
	return (w.holds == addr.Range{} || contains(e.Range, w.holds)) &&
		(w.action == "" || w.action == e.Action.String()) &&
		(w.live == nil || *w.live == e.Live(now))
}

func contains(outer, inner addr.Range) bool {
	return outer.From().BitLen() == inner.From().BitLen() &&
		outer.From().Compare(inner.From()) <= 0 && inner.To().Compare(outer.To()) <= 0
}

// entryPage is the part of l's entries that a request asks for. Its cursor is the
// place in the list of the first that is not told.
func entryPage(q *request, l *policy.List, now time.Time, w wanted) (*v1.EntryPage, error) {
	from := 0
	if q.page.cursor != "" {
		var err error
		if from, err = strconv.Atoi(q.page.cursor); err != nil || from < 0 {
			return nil, wrong("cursor", strconv.Quote(q.page.cursor)+" is none of this list's", "")
		}
	}
	p := &v1.EntryPage{Entries: []v1.Entry{}}
	for i := from; i < len(l.Entries); i++ {
		if !w.takes(&l.Entries[i], now) {
			continue
		}
		if len(p.Entries) == q.page.limit {
			p.Next = q.more(strconv.Itoa(i))
			break
		}
		p.Entries = append(p.Entries, entryOf(&l.Entries[i], now))
	}
	return p, nil
}
