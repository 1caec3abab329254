package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

// writing is how a change is to be made. Not every change has all of it; whoever
// gives a command its flags says which.
type writing struct {
	reason        string
	force, dryRun bool
	confirm       confirmFlag
}

// writeFlags gives cmd all flags of a change.
func writeFlags(cmd *cobra.Command) *writing {
	w := guardFlags(cmd)
	w.dryRunFlag(cmd)
	return w
}

// guardFlags are those of a change that cannot be tried.
func guardFlags(cmd *cobra.Command) *writing {
	w := &writing{}
	w.reasonFlag(cmd)
	cmd.Flags().BoolVar(&w.force, "force", false, "do it also where a guard refuses")
	cmd.Flags().Var(&w.confirm, "confirm", "take it back after this time unless postern confirm is typed, 90s for one")
	return w
}

func (w *writing) reasonFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.reason, "reason", "", "why, for the history and the audit log")
}

func (w *writing) dryRunFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.dryRun, "dry-run", false, "say what it would do, and do nothing")
}

// edit asks for the change to be made so.
func (w *writing) edit(ctx context.Context, req *http.Request) error {
	return query("reason", w.reason, "force", flagged(w.force), "dryRun", flagged(w.dryRun), "confirm", w.confirm.String())(ctx, req)
}

// flagged is the value of a parameter that is left out unless it is set.
func flagged(yes bool) string {
	if yes {
		return "true"
	}
	return ""
}

// ifUnchanged is only carried out if what is to be written is still the one of
// the ETag; "": if it is still not there.
func ifUnchanged(etag string) v1.RequestEditorFn {
	return func(_ context.Context, req *http.Request) error {
		if etag == "" {
			req.Header.Set("If-None-Match", "*")
		} else {
			req.Header.Set("If-Match", etag)
		}
		return nil
	}
}

// written prints what a write did.
func (c *console) written(f format, resp *http.Response, err error) error {
	w, err := answer[v1.Written](resp, err)
	if err != nil {
		return err
	}
	c.warn(w.Warnings)
	return c.print(f, w, func(out io.Writer) { c.writeWritten(out, w) })
}

func (c *console) writeWritten(out io.Writer, w *v1.Written) {
	switch {
	case len(w.Names) == 0:
		fmt.Fprintln(out, "nothing changes")
	case w.DryRun:
		fmt.Fprintln(out, "it would change")
	case w.Enforced:
		fmt.Fprintf(out, "revision %d changes\n", w.Revision)
	default:
		fmt.Fprintf(out, "revision %d, %s, changes\n", w.Revision, c.paint(yellow, "not enforced yet"))
	}
	c.writeNames(out, w)
	c.writeEffects(out, w.Plan)
	if !w.Confirm.IsZero() {
		fmt.Fprintf(out, "it is taken back at %s, unless you type: postern confirm %d\n",
			w.Confirm.Local().Format(time.TimeOnly), w.Revision)
	}
}

// writeNames tells the records that change, and of lists by how much.
func (c *console) writeNames(out io.Writer, w *v1.Written) {
	lists, plans := map[string]v1.ListChange{}, map[string]v1.ListPlan{}
	for _, l := range w.Lists {
		lists[l.List] = l
	}
	for _, l := range w.Plan.Lists {
		plans[l.List] = l
	}
	for _, name := range w.Names {
		l, isList := lists[name]
		switch {
		case isList && l.Etag == "":
			fmt.Fprintf(out, "%s: gone\n", name)
		case isList:
			fmt.Fprintf(out, "%s: %s\n", name, amounts(l.Added, l.Changed, l.Removed))
		default:
			fmt.Fprintln(out, name)
		}
		c.writePrefixes(out, plans[name])
	}
}

// amounts is "2 added, 1 removed".
func amounts(added, changed, removed int) string {
	var words []string
	for _, of := range []struct {
		n    int
		what string
	}{{added, "added"}, {changed, "changed"}, {removed, "removed"}} {
		if of.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", of.n, of.what))
		}
	}
	if len(words) == 0 {
		return "the same entries"
	}
	return strings.Join(words, ", ")
}
