package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"
)

// Record is what is told of one attempt. It has no member for a secret; who fills
// Before and After leaves out credentials.
type Record struct {
	Actor   Actor
	Action  string   // "list.replace"
	Type    Type     // what the action does to its objects
	Objects []string // what it is done to, by name: "tenants/acme/*"
	Tenants []string // whose they are
	Origin  string   // which face of the agent took it: "api", "hdp", "file"
	Reason  string   // as the actor gave it
	Forced  bool     // the guard was overruled
	// Revision is the one a change made; 0: none.
	Revision uint64
	// Before and After are the objects' content. Of what is longer than a mebibyte,
	// or than a kibibyte where the attempt was refused, size and SHA-256 are kept.
	Before, After json.RawMessage
	Error         string // why it was refused
	Trace         string // as the actor was told
}

// Actor is who made an attempt. Who claims a name and does not prove it is nobody:
// the name is then the attempt's object.
type Actor struct {
	ID     string     // a key's id, or "uid:0" for a process on the unix socket
	Name   string     // the key's, or the user's
	Tenant string     // the key's; "": it is bound to none
	From   netip.Addr // zero: from this host, without an address
}

// Type is the schema's event.type.
type Type string

const (
	Change   Type = "change" // the default
	Creation Type = "creation"
	Deletion Type = "deletion"
	Info     Type = "info"
	denied   Type = "denied"
)

// Outcome is the schema's event.outcome.
type Outcome string

const (
	Success Outcome = "success"
	Failure Outcome = "failure"
)

// Entry is a line as read.
type Entry struct {
	Record
	Seq     uint64
	Time    time.Time
	Outcome Outcome
	Refused *Refused // with the action Refusals
	Line    json.RawMessage
}

// Actions of the journal's own.
const (
	Gap      = "audit-gap"        // lines before this one are missing
	Refusals = "refused-attempts" // counts those that had no line of their own
)

const ecsVersion = "8.17.0"

// bounds are what a line takes of a record.
type bounds struct {
	text    int // bytes of a text
	names   int // objects, and tenants
	content int // bytes of Before, and of After
}

// A stranger chooses what a refused attempt says. Its line is kept short, or
// refusals would rotate the changes away.
var (
	ofChanges  = bounds{text: 4 << 10, names: math.MaxInt, content: 1 << 20}
	ofRefusals = bounds{text: 256, names: 8, content: 1 << 10}
)

// document is a line's JSON. Its last member's last member is the hash.
type document struct {
	Time         time.Time    `json:"@timestamp"`
	ECS          ecs          `json:"ecs"`
	User         user         `json:"user,omitzero"`
	Source       source       `json:"source,omitzero"`
	Organization organization `json:"organization,omitzero"`
	Trace        trace        `json:"trace,omitzero"`
	Error        failure      `json:"error,omitzero"`
	Postern      postern      `json:"postern"`
	Event        event        `json:"event"`
}

type (
	ecs struct {
		Version string `json:"version"`
	}
	user struct {
		ID     string `json:"id,omitempty"`
		Name   string `json:"name,omitempty"`
		Domain string `json:"domain,omitempty"`
	}
	source struct {
		IP netip.Addr `json:"ip"`
	}
	organization struct {
		ID []string `json:"id"`
	}
	trace struct {
		ID string `json:"id"`
	}
	failure struct {
		Message string `json:"message"`
	}
	postern struct {
		Objects  []string        `json:"objects,omitempty"`
		Origin   string          `json:"origin,omitempty"`
		Forced   bool            `json:"forced,omitempty"`
		Revision uint64          `json:"revision,omitempty"`
		Before   json.RawMessage `json:"before,omitempty"`
		After    json.RawMessage `json:"after,omitempty"`
		Refused  *Refused        `json:"refused,omitempty"`
		Previous *hash           `json:"previous,omitempty"` // nil: it is no line of the chain
	}
	event struct {
		Kind     string   `json:"kind"`
		Category []string `json:"category"`
		Type     []Type   `json:"type"`
		Action   string   `json:"action"`
		Outcome  Outcome  `json:"outcome"`
		Reason   string   `json:"reason,omitempty"`
		Sequence uint64   `json:"sequence"`
		Hash     hash     `json:"hash,omitzero"`
	}
)

// document is e as JSON, still without its place in the chain.
func (e *Entry) document() document {
	b := ofChanges
	if e.Outcome == Failure {
		b = ofRefusals
	}
	return document{
		Time:         e.Time,
		ECS:          ecs{ecsVersion},
		User:         user{b.clip(e.Actor.ID), b.clip(e.Actor.Name), e.Actor.Tenant},
		Source:       source{e.Actor.From},
		Organization: organization{b.clipAll(e.Tenants)},
		Trace:        trace{b.clip(e.Trace)},
		Error:        failure{b.clip(e.Error)},
		Postern: postern{
			Objects: b.clipAll(e.Objects), Origin: b.clip(e.Origin), Forced: e.Forced, Revision: e.Revision,
			Before: b.digest(e.Before), After: b.digest(e.After), Refused: e.Refused,
		},
		Event: event{
			Kind: "event", Category: []string{"api"}, Type: e.types(), Action: b.clip(e.Action),
			Outcome: e.Outcome, Reason: b.clip(e.Reason), Sequence: e.Seq,
		},
	}
}

func (e *Entry) types() []Type {
	types := []Type{cmp.Or(e.Type, Change)}
	if e.Outcome == Failure && e.Type != Info {
		types = append(types, denied)
	}
	return types
}

// entry is the line d was read from.
func (d *document) entry(line []byte) Entry {
	e := Entry{
		Record: Record{
			Actor:  Actor{d.User.ID, d.User.Name, d.User.Domain, d.Source.IP},
			Action: d.Event.Action, Objects: d.Postern.Objects, Tenants: d.Organization.ID,
			Origin: d.Postern.Origin, Reason: d.Event.Reason, Forced: d.Postern.Forced, Revision: d.Postern.Revision,
			Before: d.Postern.Before, After: d.Postern.After, Error: d.Error.Message, Trace: d.Trace.ID,
		},
		Seq: d.Event.Sequence, Time: d.Time, Outcome: d.Event.Outcome, Refused: d.Postern.Refused, Line: line,
	}
	if len(d.Event.Type) > 0 {
		e.Type = d.Event.Type[0]
	}
	return e
}

func (b bounds) clip(text string) string {
	if len(text) <= b.text {
		return text
	}
	return strings.ToValidUTF8(text[:b.text], "") + "..."
}

func (b bounds) clipAll(texts []string) []string {
	var clipped []string
	for _, text := range texts[:min(len(texts), b.names)] {
		clipped = append(clipped, b.clip(text))
	}
	return clipped
}

func (b bounds) digest(content json.RawMessage) json.RawMessage {
	if len(content) <= b.content {
		return content
	}
	return fmt.Appendf(nil, `{"bytes":%d,"sha256":"%x"}`, len(content), hashOf(content))
}
