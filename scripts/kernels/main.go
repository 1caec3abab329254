// Kernels runs the tests that need a kernel on kernels other than the host's: it
// fetches Debian's cloud kernels through apt, boots each under qemu with the test
// binaries in an initramfs, and prints what passed, what did not, what was left
// out and why, and what each XDP program cost that kernel's verifier. It fails
// when a test does, or when a kernel that README promises cannot be had.
//
// Inside, the same binary is process 1 (guest.go). The processor is emulated: no
// KVM is needed, and no duration means anything.
//
// Run it from the top of the repository: make test-kernels; or, for less than all
// tests, go run ./scripts/kernels -run REGEXP.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// series are the kernels in question. One that is not promised may be absent.
var series = []struct {
	name     string
	promised bool
}{
	{"5.15", false},
	{"6.1", true},
	{"6.12", true},
}

func main() {
	if os.Getpid() == 1 {
		guest(strings.Join(os.Args[1:], ""))
	}
	only := flag.String("run", "", "run only the tests that match `REGEXP`")
	flag.Parse()
	if flag.NArg() > 0 || strings.ContainsAny(*only, " \"") {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string) error {
	if runtime.GOARCH != "amd64" {
		return errors.New("the guest borrows the host's tools, so both are amd64; this is " + runtime.GOARCH)
	}
	// Debian keeps tools that read, too, where only root looks.
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "postern-kernels-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := build(ctx, dir); err != nil {
		return err
	}
	r := report{only: only}
	for _, s := range series {
		k, err := fetch(ctx, s.name)
		if err != nil {
			r.absent(s.name, s.promised, err)
			continue
		}
		progress("booting %s", k)
		said, err := k.boot(ctx, dir, only)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.add(k, said, err)
	}
	return r.print(os.Stdout)
}

// progress tells the reader what is going on, beside the results.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "kernels: "+format+"\n", args...)
}
