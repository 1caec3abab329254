package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cpu is where programs are timed: not the first, which serves what interrupts
// there are.
func cpu() int { return runtime.NumCPU() - 1 }

// pinned runs f on one CPU and no other.
func pinned(cpu int, f func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	one.Set(cpu)
	if err := errors.Join(unix.SchedGetaffinity(0, &before), unix.SchedSetaffinity(0, &one)); err != nil {
		return fmt.Errorf("pin to CPU %d: %w", cpu, err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	f()
	return nil
}

// pinKernelThreads keeps the threads whose names begin so to one CPU.
func pinKernelThreads(name string, cpu int) error {
	var one unix.CPUSet
	one.Set(cpu)
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return err
	}
	pinned := 0
	for _, path := range names {
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(text), name) {
			continue // a process that has ended meanwhile has no name
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(pid, &one); err != nil {
			return fmt.Errorf("pin %s: %w", strings.TrimSpace(string(text)), err)
		}
		pinned++
	}
	if pinned == 0 {
		return errors.New("no thread is named " + name)
	}
	return nil
}
