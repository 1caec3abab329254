package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// tools are the host's programs that the tests call; modprobe is called by the
// kernel, which so finds the modules it wants.
var tools = []string{"sh", "ip", "nft", "iptables", "iptables-save", "ip6tables-save", "stat", "modprobe"}

// build makes the binaries that go into every image: each suite's tests, and this
// program as process 1.
func build(ctx context.Context, dir string) error {
	progress("building the test binaries")
	if err := goBuild(ctx, "build", "-o", filepath.Join(dir, "init"), "./scripts/kernels"); err != nil {
		return err
	}
	for _, s := range suites {
		binary := filepath.Join(dir, s.binary())
		if err := goBuild(ctx, "test", "-c", "-o", binary, "./"+s.dir); err != nil {
			return err
		}
		if err := s.check(ctx, binary); err != nil {
			return err
		}
	}
	return nil
}

// goBuild builds a binary that needs no libraries.
func goBuild(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// check finds out that what a suite leaves out is there to be left out.
func (s suite) check(ctx context.Context, binary string) error {
	list, err := output(ctx, filepath.Dir(binary), binary, "-test.list=.")
	if err != nil {
		return err
	}
	there := strings.Fields(list)
	var errs []error
	for _, l := range s.left {
		if test, _, _ := strings.Cut(l.test, "/"); !slices.Contains(there, test) {
			errs = append(errs, fmt.Errorf("%s has no test %s to leave out", s.dir, test))
		}
	}
	return errors.Join(errs...)
}

// writeImage makes the initramfs that k starts from: what build left in dir, the
// sources that tests read, the host's tools, and all of k's modules.
func (k kernel) writeImage(ctx context.Context, file, dir string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	a := newArchive(w)
	err = a.file("init", filepath.Join(dir, "init"))
	for _, s := range suites {
		err = errors.Join(err, a.file(path.Join(repository, s.binary()), filepath.Join(dir, s.binary())))
	}
	modules := path.Join("lib/modules", k.release())
	err = errors.Join(err,
		a.tree(repository, "."),
		a.tree(modules, filepath.Join(k.root, modules)),
		a.tools(ctx),
		a.end(),
		w.Flush(),
	)
	if err != nil {
		return fmt.Errorf("write the initramfs: %w", err)
	}
	return nil
}

// A line of ldd is "name => /path (address)", or without the arrow.
var library = regexp.MustCompile(`(/\S+) \(0x`)

// tools adds the host's tools and the libraries they need, those that iptables
// opens by name too.
func (a *archive) tools(ctx context.Context) error {
	files, err := filepath.Glob("/usr/lib/*/xtables/*.so")
	if err != nil {
		return err
	}
	for _, tool := range tools {
		file, err := exec.LookPath(tool)
		if err != nil {
			return err
		}
		libraries, err := output(ctx, "", "ldd", file)
		if err != nil {
			return err
		}
		for _, match := range library.FindAllStringSubmatch(libraries, -1) {
			files = append(files, match[1])
		}
		if err := a.file(path.Join("sbin", tool), file); err != nil {
			return err
		}
	}
	for _, file := range files {
		if err := a.file(strings.TrimPrefix(file, "/"), file); err != nil {
			return err
		}
	}
	return nil
}
