package accept_test

import (
	"testing"

	"github.com/postern-io/postern/pkg/accept"
)

func TestPrefersJSON(t *testing.T) {
	for _, tt := range []struct {
		name   string
		accept []string
		want   bool
	}{
		{"absent", nil, false},
		{"empty", []string{""}, false},
		{"anything", []string{"*/*"}, false},
		{"json", []string{"application/json"}, true},
		{"json-upper-case", []string{"Application/JSON"}, true},
		{"json-charset", []string{"application/json;charset=utf-8"}, true},
		{"json-else-anything", []string{"application/json, */*"}, true},
		{"json-lines", []string{"text/html", "application/json"}, true},
		{"application", []string{"application/*"}, true},
		{"text", []string{"text/plain"}, false},
		{"both-equal", []string{"application/json, text/plain, */*"}, false},
		{"both-json-less", []string{"application/json;q=0.8, text/plain"}, false},
		{"both-json-more", []string{"text/plain;q=0.8, application/json;q=0.9"}, true},
		{"weights-with-spaces", []string{"text/plain ; q=0.8 , application/json ; q=0.9"}, true},
		{"weight-upper-case", []string{"text/plain;Q=0.8, application/json"}, true},
		{"json-less-than-anything", []string{"application/json;q=0.5, */*"}, false},
		{"json-refused", []string{"application/json;q=0"}, false},
		{"json-refused-of-anything", []string{"*/*, application/json;q=0"}, false},
		{"text-refused", []string{"*/*, text/plain;q=0"}, true},
		{"text-refused-by-family", []string{"*/*, text/*;q=0"}, true},
		{"browser", []string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, false},
		{"weight-unreadable", []string{"application/json;q=much"}, false},
		{"weight-not-a-number", []string{"application/json;q=NaN"}, false},
		{"weight-over-one", []string{"application/json;q=2, text/plain;q=0.1"}, false},
		{"garbage", []string{";;;,,,/,q=1"}, false},
		{"json-like", []string{"application/jsonp"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := accept.PrefersJSON(tt.accept); got != tt.want {
				t.Errorf("PrefersJSON(%q) = %v, want %v", tt.accept, got, tt.want)
			}
		})
	}
}
