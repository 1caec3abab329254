package control

import (
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// TestAddWhatStands adds to a list what is in it already.
func TestAddWhatStands(t *testing.T) {
	const way = "change it: PATCH its entry, or postern lists change"
	tests := []struct {
		name, stands, add, want string
		err                     string
	}{
		{name: "same", stands: "10.0.0.1#office", add: "10.0.0.1#office", want: "10.0.0.1#office"},
		{name: "nothing-said-of-the-comment", stands: "10.0.0.1#office", add: "10.0.0.1/32", want: "10.0.0.1#office"},
		{name: "expired", stands: ".10.0.0.1#old", add: "?10.0.0.1#new", want: "?10.0.0.1#new"},
		{name: "expired-for-good", stands: ".10.0.0.1#old", add: "10.0.0.1", want: "10.0.0.1#old"},
		{name: "disabled", stands: "!10.0.0.1#old", add: "10.0.0.1#new", want: "10.0.0.1#new"},
		{name: "disabled-as-it-is", stands: "!10.0.0.1", add: "!10.0.0.1", want: "!10.0.0.1"},
		{
			name: "other-comment", stands: "10.0.0.1#office", add: "10.0.0.1#home",
			err: `10.0.0.1 stands in tenants/globex/webUI already, live for good, with the comment "office"`,
		},
		{
			name: "other-expiry", stands: "?10.0.0.1", add: "10.0.0.1",
			err: "10.0.0.1 stands in tenants/globex/webUI already, live until 2026-06-01T13:00:00Z",
		},
		{
			name: "to-be-disabled", stands: "10.0.0.1", add: "!10.0.0.1",
			err: "10.0.0.1 stands in tenants/globex/webUI already, live for good",
		},
		{name: "other-action", stands: "10.0.0.1#office", add: "-10.0.0.1#no", want: "10.0.0.1#office -10.0.0.1#no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acme())
			at := place("tenants/globex/webUI")
			w.write(root(), Replace(at, nil, entries(tt.stands)))
			made := *w.listAt(at.String()).Entries[0].By
			w.at = w.at.Add(time.Minute)
			_, err := w.Write(t.Context(), root(), Add(at, entries(tt.add)...))
			if text(err) != tt.err {
				t.Fatalf("error = %q, want %q", text(err), tt.err)
			}
			if r, refused := err.(*Refusal); refused && (r.Kind != Conflict || r.Remedy != way) {
				t.Errorf("refused as %s, %q", r.Kind, r.Remedy)
			}
			l := w.listAt(at.String())
			if got := spell(l); err == nil && got != tt.want {
				t.Errorf("list = %q, want %q", got, tt.want)
			}
			by, modified := *l.Entries[0].By, made.Modified
			if tt.err == "" && tt.want != tt.stands && l.Entries[0].Action == policy.Allow && len(l.Entries) == 1 {
				modified = w.at
			}
			if want := (policy.Stamp{Author: made.Author, Created: made.Created, Modified: modified}); by != want {
				t.Errorf("stamped %+v, want %+v", by, want)
			}
		})
	}
}
