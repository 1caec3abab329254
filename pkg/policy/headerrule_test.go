package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeepValues(t *testing.T) {
	before := []HeaderRule{{Name: "X-Key", Value: "a"}, {Name: "X-Key", Value: "a.*", Regex: true}, {Name: "x-key", Value: "b"}}
	tests := []struct {
		name        string
		rules, want []HeaderRule
		without     int
	}{
		{"all", []HeaderRule{{Name: "X-KEY"}, {Name: "X-Key"}}, []HeaderRule{{Name: "X-KEY", Value: "a"}, {Name: "X-Key", Value: "b"}}, -1},
		{"one-is-new", []HeaderRule{{Name: "X-Key", Value: "c"}, {Name: "X-Key"}}, []HeaderRule{{Name: "X-Key", Value: "c"}, {Name: "X-Key", Value: "b"}}, -1},
		{"expression", []HeaderRule{{Name: "X-Key", Regex: true}}, []HeaderRule{{Name: "X-Key", Value: "a.*", Regex: true}}, -1},
		{"too-many", []HeaderRule{{Name: "X-Key"}, {Name: "X-Key"}, {Name: "X-Key"}}, []HeaderRule{{Name: "X-Key", Value: "a"}, {Name: "X-Key", Value: "b"}, {Name: "X-Key"}}, 2},
		{"another", []HeaderRule{{Name: "X-Other"}}, []HeaderRule{{Name: "X-Other"}}, 0},
		{"none", nil, nil, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if without := KeepValues(tt.rules, before); without != tt.without {
				t.Errorf("without a value is %d, want %d", without, tt.without)
			}
			if diff := cmp.Diff(tt.want, tt.rules); diff != "" {
				t.Error(diff)
			}
		})
	}
}
