package port

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/audit"
)

// trigger is who did it, by which API, and when.
type trigger struct {
	By     by        `json:"by"`
	Origin string    `json:"origin"`
	At     time.Time `json:"at"`
}

type by struct {
	OrgID  string `json:"orgId"`
	UserID string `json:"userId"`
}

type context struct {
	Entity string `json:"entity"`
}

type diff struct {
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// members are those of an event, in their order.
var members = []string{"identifier", "action", "resourceType", "status", "trigger", "context", "diff", "message"}

// eventOf is a line of the journal as Port shows one: of its members those asked
// for, and all where none is.
func eventOf(e *audit.Entry, includes []string) dialect.Object {
	values := map[string]any{
		"identifier":   identifierOf(e),
		"action":       wordOf(actions, e.Type),
		"resourceType": kindOf(e),
		"status":       wordOf(statuses, e.Outcome),
		"trigger":      trigger{by{first(e.Tenants), e.Actor.Name}, e.Origin, e.Time},
		"context":      context{first(e.Objects)},
		"diff":         diff{e.Before, e.After},
		"message":      e.Error,
	}
	var shown dialect.Object
	for _, name := range members {
		if includes == nil || name == "identifier" || slices.Contains(includes, name) {
			shown = append(shown, dialect.Member{Name: name, Value: values[name]})
		}
	}
	return shown
}

func identifierOf(e *audit.Entry) string { return fmt.Sprintf("event_%d", e.Seq) }

// kindOf is the kind of the record that a line is about, "" where it is about
// none: what was turned away at the door had come to none.
func kindOf(e *audit.Entry) string {
	part := strings.Split(first(e.Objects), "/")
	switch {
	case part[0] == "filtering":
		return "filtering"
	case part[0] == "keys":
		return "key"
	case part[0] == "endpoints":
		return "endpoint"
	case part[0] == "system":
		return "list"
	case part[0] != "tenants":
		return ""
	case len(part) == 2:
		return "tenant"
	case len(part) == 4:
		return "user"
	}
	return "list"
}

func first(of []string) string {
	if len(of) == 0 {
		return ""
	}
	return of[0]
}

// wordOf is the word that stands for a value, "" where none does.
func wordOf[T comparable](words map[string]T, value T) string {
	for word, v := range words {
		if v == value {
			return word
		}
	}
	return ""
}
