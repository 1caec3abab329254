// Demo shows Postern at work: an edge host and the world around it, in network
// namespaces joined by a veth pair; the real agent, with the published ranges of
// three clouds as tenants; real frames and real HTTP requests. It prints a table
// of what was sent, from where and to which endpoint, what was expected and what
// was seen, and the reason the agent gives. It fails when a row is off, and
// leaves nothing behind.
//
// Run it as root from the top of the repository: make demo.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/postern-io/postern/pkg/testenv"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo PATH-OF-POSTERN")
		os.Exit(2)
	}
	// The agent ends with the thread that started it, which has to be one that
	// lasts.
	runtime.LockOSThread()
	// SIGPIPE too: whoever pipes this into head must not keep it from clearing up.
	ctx, stop := signal.NotifyContext(context.Background(),
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	start := time.Now()
	r := newReport(os.Stdout)
	err = testenv.Play(ctx, func(s *testenv.Stage) {
		testenv.Root(s)
		w := newWorld(s, binary)
		for _, act := range acts {
			progress("%s", act.name)
			for _, row := range act.rows {
				got := row.deed.do(w, row)
				s.Check(nil) // what an interruption made of it is no finding
				r.add(row, got)
			}
		}
	})
	r.print(os.Stdout)
	if err != nil {
		return err
	}
	progress("%d rows in %v, nothing left behind", len(r.rows), time.Since(start).Round(100*time.Millisecond))
	if r.off > 0 {
		return errors.New(plural(r.off, "row is", "rows are") + " off")
	}
	return nil
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", more)
}

// progress tells the reader what is going on, beside the results.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "demo: "+format+"\n", args...)
}
