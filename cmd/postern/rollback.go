package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newRollback(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollback REVISION [LIST]",
		Short: "Go back to what was after a revision",
		Long: strings.TrimSpace(`
Go back to what was after a revision: a list, a tenant with all its lists, or
everything. It makes a new revision, shown first and on a terminal asked about.
Keys and the audit log are not touched by it.`),
		Args: cobra.RangeArgs(1, 2),
	}
	tenant := cmd.Flags().String("tenant", "", "only this tenant")
	ch := c.changeFlags(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		number, err := revisionNumber(args[0])
		if err != nil {
			return err
		}
		only := query("list", strings.Join(args[1:], ""), "tenant", *tenant)
		ch.send = func(edit v1.RequestEditorFn) (*http.Response, error) {
			return agent.Rollback(ctx, number, nil, only, edit)
		}
		return c.make(ctx, ch)
	})
	return cmd
}

func newConfirm(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "confirm [REVISION]",
		Short: "Keep a change that would be taken back",
		Long: strings.TrimSpace(`
Keep a change that would be taken back, having been made with --confirm. Without a
REVISION it is the one that waits, if there is one.`),
		Args: cobra.MaximumNArgs(1),
	}
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		number, err := waiting(ctx, agent, args)
		if err != nil {
			return err
		}
		r, err := answer[v1.Revision](agent.Confirm(ctx, number))
		if err != nil {
			return err
		}
		return c.print(*form, r, func(w io.Writer) { fmt.Fprintf(w, "revision %d stays\n", r.Revision) })
	})
	return cmd
}

// waiting is the revision named, else the only one that waits.
func waiting(ctx context.Context, agent *v1.Client, named []string) (uint64, error) {
	if len(named) > 0 {
		return revisionNumber(named[0])
	}
	found, err := revisions(ctx, agent, 0, "outcome", string(v1.OutcomePending))
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, fmt.Errorf("confirm: nothing waits")
	case len(found) > 1:
		return 0, fmt.Errorf("confirm: %d revisions wait; name one of those that postern history --pending shows", len(found))
	}
	return found[0].Revision, nil
}
