// Package testenv makes what a test of a packet filter needs and a laptop does
// not have lying about: network namespaces joined by veth pairs, a bpffs, raw
// frames in and out, processes on the other side. Whatever it makes goes away
// with the test, and nothing of it touches the host's own network.
package testenv

import (
	"os"
	"time"
)

// TB is what testenv asks of a test. A testing.TB is one; so is whatever a
// program that is no test, like the demo, puts in its place.
type TB interface {
	Helper()
	Cleanup(func())
	TempDir() string
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Root skips a test that needs root, unless POSTERN_TEST_ROOT says that root was
// promised: then a skip would pass for a pass, and the test fails.
func Root(t TB) {
	t.Helper()
	switch {
	case os.Geteuid() == 0:
	case os.Getenv("POSTERN_TEST_ROOT") != "":
		t.Fatalf("POSTERN_TEST_ROOT is set, and this is not root")
	default:
		t.Skipf("needs root")
	}
}

// Eventually asks again and again, for as long as within, until done has no more
// objections; the last one is the test's failure.
func Eventually(t TB, within time.Duration, done func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := done()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %v", within, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
