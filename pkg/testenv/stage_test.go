package testenv_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/postern-io/postern/pkg/testenv"
)

func TestPlayClearsTheStage(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		act  func(*testenv.Stage)
		err  string
	}{
		{"success", t.Context(), func(*testenv.Stage) {}, ""},
		{"failure", t.Context(), func(s *testenv.Stage) { s.Fatalf("it broke") }, "it broke"},
		{
			"failure-in-an-act", t.Context(),
			func(s *testenv.Stage) { s.Act(func(s *testenv.Stage) { s.Fatalf("it broke") }) }, "it broke",
		},
		{"interruption", cancelled, func(s *testenv.Stage) { s.Check(nil) }, "interrupted"},
		{
			"failure-to-clear", t.Context(),
			func(s *testenv.Stage) { s.Cleanup(func() { s.Fatalf("stuck") }) }, "stuck",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var cleared []int
			err := testenv.Play(tt.ctx, func(s *testenv.Stage) {
				s.Cleanup(func() { cleared = append(cleared, 1) })
				s.Cleanup(func() { cleared = append(cleared, 2) })
				tt.act(s)
			})
			if got := text(err); got != tt.err {
				t.Errorf("Play ended with %q, want %q", got, tt.err)
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
