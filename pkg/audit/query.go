package audit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Query asks for lines, newest first. A zero member asks nothing; all others must
// hold.
type Query struct {
	// Reader is the tenant that asks: lines are to it what Entry.For says. "": who
	// may read all.
	Reader  string
	Tenant  string // one of the line's
	Object  string // one of the line's
	Actor   string // the actor's id or name
	Action  string
	Outcome Outcome
	Since   time.Time           // at or after
	Until   time.Time           // before
	Keep    func(e *Entry) bool // and anything else
	Limit   int                 // default 100
	Cursor  string              // the Next of the page before
}

// Page is an answer to a Query.
type Page struct {
	Entries []Entry
	Next    string // for the page after this one; "": this is the last
}

// maxPage is how many bytes of lines a page takes, though its limit allow more.
const maxPage = 16 << 20

// Query answers from what is in the files.
func (l *Log) Query(ctx context.Context, q Query) (Page, error) { return Search(ctx, l.cfg.Dir, q) }

// Search answers a Query from a journal's directory. Lines that cannot be read
// are passed over; they are Verify's affair.
func Search(ctx context.Context, dir string, q Query) (Page, error) {
	from, err := parseCursor(q.Cursor)
	if err != nil {
		return Page{}, err
	}
	var page Page
	texts, size, limit := q.texts(), 0, cmp.Or(q.Limit, 100)
	err = backwards(dir, from, func(line []byte, before cursor) (bool, error) {
		at, ok := timeOf(line)
		switch {
		case ok && at.Before(q.Since):
			return false, nil // no line before it is later
		case !ok, !q.Until.IsZero() && !at.Before(q.Until), !containsAll(line, texts):
			return true, ctx.Err()
		}
		e, err := decode(line)
		if err != nil || !e.readBy(q.Reader) || !q.takes(&e) {
			return true, ctx.Err()
		}
		if e.Line, err = e.copied(line); err != nil {
			return false, err
		}
		page.Entries = append(page.Entries, e)
		if size += len(line); len(page.Entries) < limit && size < maxPage {
			return true, ctx.Err()
		}
		page.Next = before.String()
		return false, nil
	})
	if err != nil {
		return Page{}, fmt.Errorf("search the audit journal in %s: %w", dir, err)
	}
	return page, nil
}

// timeOf is a line's time, which stands first, without decoding the rest.
func timeOf(line []byte) (time.Time, bool) {
	text, ok := bytes.CutPrefix(line, []byte(`{"@timestamp":"`))
	text, _, _ = bytes.Cut(text[:min(len(text), 40)], []byte(`"`))
	at, err := time.Parse(time.RFC3339Nano, string(text))
	return at, ok && err == nil
}

// texts are what a line must hold to be asked for at all. To look for them is
// much cheaper than to decode.
func (q *Query) texts() [][]byte {
	var texts [][]byte
	for _, s := range []string{q.Tenant, q.Object, q.Actor, q.Action, string(q.Outcome)} {
		if text, err := json.Marshal(s); s != "" && err == nil {
			texts = append(texts, text)
		}
	}
	return texts
}

func containsAll(line []byte, texts [][]byte) bool {
	return !slices.ContainsFunc(texts, func(text []byte) bool { return !bytes.Contains(line, text) })
}

// takes decides on a line of a time that is asked for.
func (q *Query) takes(e *Entry) bool {
	return (q.Tenant == "" || slices.Contains(e.Tenants, q.Tenant)) &&
		(q.Object == "" || slices.Contains(e.Objects, q.Object)) &&
		(q.Actor == "" || q.Actor == e.Actor.ID || q.Actor == e.Actor.Name) &&
		(q.Action == "" || q.Action == e.Action) &&
		(q.Outcome == "" || q.Outcome == e.Outcome) &&
		(q.Keep == nil || q.Keep(e))
}

// decode reads a line. The entry shares its memory.
func decode(line []byte) (Entry, error) {
	var d document
	if err := json.Unmarshal(line, &d); err != nil {
		return Entry{}, err
	}
	return d.entry(line), nil
}
