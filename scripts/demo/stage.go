package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// stage stands in for a test where testenv wants one. What is put up on it is
// taken down when the play ends, however it ends.
type stage struct {
	ctx      context.Context
	cleanups []func()
}

// failure is a Fatalf on its way out.
type failure string

func (s *stage) Helper()          {}
func (s *stage) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *stage) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }
func (s *stage) Skipf(format string, args ...any)  { s.Fatalf(format, args...) }

func (s *stage) TempDir() string {
	dir, err := os.MkdirTemp("", "postern-demo-")
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

// check ends the play when err says so, or when nobody wants to see the rest.
func (s *stage) check(err error) {
	if s.ctx.Err() != nil {
		s.Fatalf("interrupted")
	}
	if err != nil {
		s.Fatalf("%v", err)
	}
}

// play runs f on a fresh stage and clears it. Its error is the first failure, of
// f or of the clearing.
func play(ctx context.Context, f func(*stage)) (err error) {
	s := &stage{ctx: ctx}
	defer func() {
		for i := len(s.cleanups) - 1; i >= 0; i-- {
			if undo := caught(s.cleanups[i]); err == nil {
				err = undo
			}
		}
	}()
	return caught(func() { f(s) })
}

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
