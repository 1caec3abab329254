package main

import "testing"

func TestRowIsOff(t *testing.T) {
	tests := []struct {
		name          string
		seen, because string
		ok            bool
	}{
		{"as-expected", dropped, "not-listed: deny by 192.0.2.7", true},
		{"another-outcome", arrives, "not-listed: deny by 192.0.2.7", false},
		{"another-reason", dropped, "truncated", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := played{row{want: dropped, why: "deny by 192.0.2.7"}, sight{seen: tt.seen, because: tt.because}}
			if p.ok() != tt.ok {
				t.Errorf("ok = %v, want %v", p.ok(), tt.ok)
			}
		})
	}
}
