package v1

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParameters(t *testing.T) {
	tests := []struct {
		name, query string
		ifMatch     []string
		want        RemoveEntriesParams
		mistakes    []Mistake
	}{
		{
			name: "all", query: "address=192.0.2.0/24&address=2001:db8::1&action=deny&force=true&confirm=90s&dryRun=false&wait=enforced",
			ifMatch: []string{`"9f86"`},
			want: RemoveEntriesParams{
				Address: []string{"192.0.2.0/24", "2001:db8::1"}, Action: new(ActionDeny),
				Force: new(true), Confirm: new("90s"), DryRun: new(false), Wait: new(WaitForEnforced), IfMatch: new(`"9f86"`),
			},
		},
		{name: "missing", mistakes: []Mistake{{Path: "address", What: "it is missing"}}},
		{
			name: "misspelt", query: "address=a&dryrun=true&zzz",
			want: RemoveEntriesParams{Address: []string{"a"}},
			mistakes: []Mistake{
				{Path: "dryrun", What: "there is no such parameter", Remedy: "did you mean dryRun?"},
				{Path: "zzz", What: "there is no such parameter"},
			},
		},
		{
			name: "every-mistake", query: "address=a&action=alow&force=yes&dryRun", ifMatch: []string{"a", "b"},
			want: RemoveEntriesParams{
				Address: []string{"a"}, Action: new(Action("alow")), Force: new(false), DryRun: new(false),
			},
			mistakes: []Mistake{
				{Path: "action", What: `"alow" is none of its values`},
				{Path: "force", What: `"yes" is neither true nor false`},
				{Path: "dryRun", What: `"" is neither true nor false`},
				{Path: "If-Match", What: "it stands there 2 times"},
			},
		},
		{name: "unreadable", query: "address=%zz", mistakes: []Mistake{
			{Path: "query", What: `it cannot be read: invalid URL escape "%zz"`},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("DELETE", "/", nil)
			r.URL.RawQuery = tt.query
			r.Header["If-Match"] = tt.ifMatch
			var got RemoveEntriesParams
			mistakes := Parameters(r, &got)
			if diff := cmp.Diff(tt.mistakes, mistakes); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestParametersTogether reads into two structs, one of them with plain fields.
func TestParametersTogether(t *testing.T) {
	var page struct {
		Limit int `form:"limit,omitempty"`
	}
	var filter struct {
		Since *time.Time `form:"since,omitempty"`
		Until time.Time  `form:"until,omitempty"`
	}
	r := httptest.NewRequest("GET", "/?limit=x&since=2026-06-01T00:00:00Z&until=tomorrow", nil)
	want := []Mistake{
		{Path: "limit", What: `"x" is no number`},
		{Path: "until", What: `"tomorrow" is no time like 2027-01-31T00:00:00Z`},
	}
	if diff := cmp.Diff(want, Parameters(r, &page, &filter)); diff != "" {
		t.Error(diff)
	}
	if filter.Since == nil || !filter.Since.Equal(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("since %v", filter.Since)
	}
}
