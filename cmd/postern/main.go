// Postern keeps the IP allowlists of a multi-tenant host and drops at the
// network interface what no list admits. This command is the agent and what its
// operators type.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(postern()) }

func postern() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends what does not end itself
	c := &console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv,
		colour: colourful(os.Stdout), interactive: isTerminal(os.Stdin) && isTerminal(os.Stderr), watched: isTerminal(os.Stderr),
	}
	return c.run(ctx, os.Args[1:])
}
