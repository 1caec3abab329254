package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

func TestPlayClearsTheStage(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		act  func(*stage)
		err  string
	}{
		{"success", t.Context(), func(*stage) {}, ""},
		{"failure", t.Context(), func(s *stage) { s.Fatalf("it broke") }, "it broke"},
		{"interruption", cancelled, func(s *stage) { s.check(nil) }, "interrupted"},
		{
			"failure-to-clear", t.Context(),
			func(s *stage) { s.Cleanup(func() { s.Fatalf("stuck") }) }, "stuck",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var cleared []int
			err := play(tt.ctx, func(s *stage) {
				s.Cleanup(func() { cleared = append(cleared, 1) })
				s.Cleanup(func() { cleared = append(cleared, 2) })
				tt.act(s)
			})
			if got := text(err); got != tt.err {
				t.Errorf("play ended with %q, want %q", got, tt.err)
			}
			if !slices.Equal(cleared, []int{2, 1}) {
				t.Errorf("cleared %v, want the last put up first", cleared)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprint(err)
}

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
