package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Stage stands in for a test in a program that is none. What is put up on it is
// taken down when the play ends, however it ends.
type Stage struct {
	ctx      context.Context
	cleanups []func()
}

// failure is a Fatalf on its way out.
type failure string

// Context is over when nobody wants to see the rest of the play.
func (s *Stage) Context() context.Context { return s.ctx }

// Helper is nothing here.
func (s *Stage) Helper() {}

// Cleanup has f called when the play ends, the last one first.
func (s *Stage) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// Fatalf ends the play.
func (s *Stage) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// Skipf ends the play too: what a test can do without, a program cannot.
func (s *Stage) Skipf(format string, args ...any) { s.Fatalf(format, args...) }

// TempDir is a directory that goes with the play.
func (s *Stage) TempDir() string {
	dir, err := os.MkdirTemp("", "postern-")
	if err != nil {
		s.Fatalf("%v", err)
	}
	s.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			s.Fatalf("%v", err)
		}
	})
	return dir
}

// Check ends the play when err says so, or when nobody wants to see the rest.
func (s *Stage) Check(err error) {
	if s.ctx.Err() != nil {
		s.Fatalf("interrupted")
	}
	if err != nil {
		s.Fatalf("%v", err)
	}
}

// Play runs f on a fresh stage and clears it. Its error is the first failure, of
// f or of the clearing.
func Play(ctx context.Context, f func(*Stage)) (err error) {
	s := &Stage{ctx: ctx}
	defer func() {
		for i := len(s.cleanups) - 1; i >= 0; i-- {
			if undo := caught(s.cleanups[i]); err == nil {
				err = undo
			}
		}
	}()
	return caught(func() { f(s) })
}

// Act plays a part of s with a stage of its own, which is cleared at its end.
func (s *Stage) Act(f func(*Stage)) { s.Check(Play(s.ctx, f)) }

// caught runs f and returns the failure that ended it.
func caught(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = errors.New(string(r))
		default:
			panic(r)
		}
	}()
	f()
	return nil
}
