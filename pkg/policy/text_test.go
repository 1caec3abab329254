package policy

import (
	"strings"
	"testing"
)

func TestWrongText(t *testing.T) {
	const bad, use = "has bytes that are no text", "use printable text"
	tests := []struct{ name, in, what, remedy string }{
		{name: "empty"},
		{name: "text", in: "Café, Zürich"},
		{name: "most", in: strings.Repeat("é", 20)},
		{"too-long", strings.Repeat("é", 21), "has 21 characters", "use at most 20"},
		{"escape", "\x1b[2Jroot", bad, use},
		{"nul", "a\x00b", bad, use},
		{"new-line", "a\nb", bad, use},
		{"csi", "a\u009bb", bad, use},
		{"no-utf-8", "a\xffb", bad, use},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if what, remedy := WrongText(tt.in, 20); what != tt.what || remedy != tt.remedy {
				t.Errorf("%q, %q, want %q, %q", what, remedy, tt.what, tt.remedy)
			}
		})
	}
}
