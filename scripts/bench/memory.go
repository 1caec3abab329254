package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/testenv"
)

// cgroup is a memory cgroup of the bench's own, of either version: what the
// kernel keeps for BPF shows there in full and nowhere else.
type cgroup struct {
	s   *testenv.Stage
	dir string
	v1  bool
}

// newCgroup makes a cgroup and moves the bench into it: a map is charged to who
// made it.
func newCgroup(s *testenv.Stage) cgroup {
	g, controller := cgroup{s, "/sys/fs/cgroup/memory", true}, "memory"
	if _, err := os.Stat(g.dir); err != nil {
		g.dir, g.v1, controller = "/sys/fs/cgroup", false, ""
	}
	home, err := cgroupOf(controller)
	s.Check(err)
	home = filepath.Join(g.dir, home)
	g.dir = filepath.Join(g.dir, fmt.Sprintf("postern-bench-%d-%d", os.Getpid(), time.Now().UnixNano()))
	if err := os.Mkdir(g.dir, 0o700); err != nil {
		s.Fatalf("%v", err)
	}
	s.Cleanup(func() {
		if err := errors.Join(move(home), os.Remove(g.dir)); err != nil {
			s.Fatalf("leave the cgroup: %v", err)
		}
	})
	s.Check(move(g.dir))
	return g
}

// cgroupOf is where the bench is in the hierarchy of a controller; "" is that of
// version 2.
func cgroupOf(controller string) (string, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.SplitN(strings.TrimSpace(line), ":", 3); len(f) == 3 && f[1] == controller {
			return f[2], nil
		}
	}
	return "", errors.New("this process is in no memory cgroup")
}

// move moves the bench into a cgroup.
func move(dir string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
}

// kernelBytes is what the kernel holds for the cgroup.
func (g cgroup) kernelBytes() float64 {
	n, err := g.read()
	g.s.Check(err)
	return n
}

func (g cgroup) read() (float64, error) {
	if !g.v1 {
		return field(filepath.Join(g.dir, "memory.stat"), "kernel")
	}
	text, err := os.ReadFile(filepath.Join(g.dir, "memory.kmem.usage_in_bytes"))
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
}

// settled is what the kernel holds once it holds no less for a while.
func (g cgroup) settled() float64 {
	const quiet = 300 * time.Millisecond
	least, since := g.kernelBytes(), time.Now()
	for tick := time.NewTicker(10 * time.Millisecond); time.Since(since) < quiet; <-tick.C {
		if n := g.kernelBytes(); n < least {
			least, since = n, time.Now()
		}
	}
	return least
}

// peak is the most the kernel holds while f runs.
func (g cgroup) peak(f func()) float64 {
	stop, most := make(chan struct{}), make(chan float64, 1)
	go func() { most <- g.watch(stop) }()
	func() {
		defer close(stop)
		f()
	}()
	return <-most
}

// watch looks every millisecond until it is told to stop.
func (g cgroup) watch(stop chan struct{}) (most float64) {
	for tick := time.NewTicker(time.Millisecond); ; {
		select {
		case <-stop:
			return most
		case <-tick.C:
			if n, err := g.read(); err == nil { // at the end it may be gone
				most = max(most, n)
			}
		}
	}
}

// resident is the memory of the bench itself that is in use.
func (g cgroup) resident() float64 {
	debug.FreeOSMemory()
	kb, err := field("/proc/self/status", "RssAnon:")
	g.s.Check(err)
	return kb * 1024
}

// field reads a number behind its name.
func field(path, name string) (float64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			return strconv.ParseFloat(f[1], 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", path, name)
}
