package access

import (
	"strings"
	"testing"
)

func TestKeyOf(t *testing.T) {
	random := strings.Repeat("_", 42) + "8"
	tests := []struct {
		name, in, id string
	}{
		{name: "secret", in: "psk_00aa_" + random, id: "00aa"},
		{name: "no-mark", in: "00aa_" + random},
		{name: "other-mark", in: "PSK_00aa_" + random},
		{name: "no-id", in: "psk__" + random},
		{name: "bad-id", in: "psk_0/a_" + random},
		{name: "short", in: "psk_00aa_" + random[1:]},
		{name: "long", in: "psk_00aa_" + random + "8"},
		{name: "padded", in: "psk_00aa_" + random[:42] + "="},
		{name: "loose-bits", in: "psk_00aa_" + random[:42] + "9"},
		{name: "mark-alone", in: "psk_"},
		{name: "empty", in: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, ok := keyOf(tt.in)
			if id != tt.id || ok != (tt.id != "") {
				t.Errorf("keyOf(%q) = %q, %v, want %q", tt.in, id, ok, tt.id)
			}
		})
	}
}

func TestNewSecret(t *testing.T) {
	one, two := newSecret("00aa"), newSecret("00aa")
	if one == two {
		t.Error("two secrets are equal")
	}
	if id, ok := keyOf(one); id != "00aa" || !ok {
		t.Errorf("keyOf(%q) = %q, %v", one, id, ok)
	}
	if h := hashOf(one); !h.opens(one) || h.opens(two) {
		t.Error("a secret's hash opens for another, or not for its own")
	}
}

func FuzzKeyOf(f *testing.F) {
	f.Add(newSecret(newID()))
	f.Add("psk__")
	f.Fuzz(func(t *testing.T, in string) {
		id, ok := keyOf(in)
		if ok && (!strings.HasPrefix(in, "psk_"+id+"_") || len(in) != len("psk__")+len(id)+43) {
			t.Errorf("keyOf(%q) = %q", in, id)
		}
	})
}
