package body

import (
	"encoding/json"
	"testing"

	"github.com/postern-io/postern/pkg/policy"
)

func TestEither(t *testing.T) {
	tests := []struct {
		name, in string
		entries  int
		err      string
	}{
		{"list", `["10.0.0.1"]`, 1, ""},
		{"object", `{"entries": ["10.0.0.1", "10.0.0.2"]}`, 2, ""},
		{"mistake-in-list", `["x"]`, 0, "$[0]: address x: not an IP address"},
		{"neither", `7`, 0, "$: a number where an object should be"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []policy.Entry
			entries := Each(&got, Entry)
			err := Parse([]byte(tt.in), Limits{}, Either(entries, Object(Fields{"entries": entries})))
			if msg := message(err); msg != tt.err {
				t.Fatalf("error = %q, want %q", msg, tt.err)
			}
			if err == nil && len(got) != tt.entries {
				t.Errorf("read %d entries, want %d", len(got), tt.entries)
			}
		})
	}
}

func TestRawObject(t *testing.T) {
	var got json.RawMessage
	if err := Parse([]byte(`{"b": 1.50, "a": [null]}`), Limits{}, RawObject(&got)); err != nil || string(got) != `{"b": 1.50, "a": [null]}` {
		t.Errorf("%s, %v", got, err)
	}
	if err := Parse([]byte(`[1]`), Limits{}, RawObject(&got)); message(err) != "$: a list where an object should be" {
		t.Errorf("error = %q", message(err))
	}
}
