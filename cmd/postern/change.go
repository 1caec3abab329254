package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

// change is a write that is shown before it is made.
type change struct {
	*writing
	yes  bool
	form *format
	// send asks the agent for it.
	send func(v1.RequestEditorFn) (*http.Response, error)
	// show tells what it would do.
	show func(io.Writer, *v1.Written) error
}

// changeFlags gives cmd the flags of a change that is shown first.
func (c *console) changeFlags(cmd *cobra.Command) *change {
	ch := &change{writing: writeFlags(cmd), form: formatFlag(cmd)}
	cmd.Flags().BoolVarP(&ch.yes, "yes", "y", false, "do not ask")
	ch.show = func(w io.Writer, would *v1.Written) error {
		c.writeWritten(w, would)
		return nil
	}
	return ch
}

// make shows what ch would do, asks whether it is meant where somebody can be
// asked, and makes it.
func (c *console) make(ctx context.Context, ch *change) error {
	// Forced, it is told what a guard says, and not only that.
	try := writing{reason: ch.reason, force: true, dryRun: true}
	would, err := answer[v1.Written](ch.send(try.edit))
	if err != nil {
		return err
	}
	refused := would.Plan.Refusal.Type != "" && !ch.force
	switch {
	case len(would.Names) == 0:
		c.warn(would.Warnings)
		return c.print(*ch.form, would, func(w io.Writer) { c.writeWritten(w, would) })
	case ch.dryRun:
		return c.shown(ch, would, refused)
	}
	if err := ch.show(c.beside(*ch.form), would); err != nil {
		return err
	}
	if refused {
		return &would.Plan.Refusal
	}
	if !ch.yes && c.interactive && !c.agreed(ctx, "make this change?") {
		return errors.New("nothing was changed")
	}
	resp, err := ch.send(ch.edit)
	return c.written(*ch.form, resp, err)
}

// shown prints what is not made as the result.
func (c *console) shown(ch *change, would *v1.Written, refused bool) (err error) {
	c.warn(would.Warnings)
	if printErr := c.print(*ch.form, would, func(w io.Writer) { err = ch.show(w, would) }); printErr != nil {
		return printErr
	}
	if refused && err == nil {
		return &exit{code: exitFailed}
	}
	return err
}

// beside is where people read what is not the result itself.
func (c *console) beside(f format) io.Writer {
	if f == text {
		return c.out
	}
	return c.err
}

// agreed asks, and takes nothing but a yes for one. The end of ctx is a no: a read
// of a terminal does not end by itself, and is left to end with the process.
func (c *console) agreed(ctx context.Context, question string) bool {
	fmt.Fprintf(c.err, "%s [y/N] ", question)
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(c.in).ReadString('\n') // no line is no yes
		said <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case word := <-said:
		return word == "y" || word == "yes"
	case <-ctx.Done():
		fmt.Fprintln(c.err)
		return false
	}
}
