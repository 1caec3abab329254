package policy

import "testing"

func TestNearest(t *testing.T) {
	tests := []struct{ name, word, want string }{
		{"one-letter-less", "dataAcess", "dataAccess"},
		{"case", "webui", "webUI"},
		{"swapped", "adminPAI", "adminAPI"},
		{"first-of-equals", "xxminAPI", "adminAPI"},
		{"far", "database", ""},
		{"short", "x", ""},
		{"empty", "", ""},
		{"overlong", "managementAPImanagementAPImanagementAPImanagementAPI", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Nearest(tt.word, BuiltinResources); got != tt.want {
				t.Errorf("Nearest(%q) = %q, want %q", tt.word, got, tt.want)
			}
		})
	}
}
