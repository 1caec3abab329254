package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newHistory(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history [NAME]",
		Short: "Show who changed what, when and why, the newest first",
		Long: strings.TrimSpace(`
Show who changed what, when and why, the newest first. A NAME is that of one list
or of another record: tenants/ID, endpoints/NAME or filtering.`),
		Args: cobra.MaximumNArgs(1),
	}
	flags := cmd.Flags()
	tenant := flags.String("tenant", "", "only what concerns this tenant")
	author := flags.String("author", "", "only by this author, a name or a key's id")
	pending := flags.Bool("pending", false, "only what waits to be confirmed")
	limit := flags.Int("limit", 20, "how many; 0 for all")
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		only := []string{"tenant", *tenant, "author", *author, "name", strings.Join(args, "")}
		if *pending {
			only = append(only, "outcome", string(v1.OutcomePending))
		}
		found, err := revisions(ctx, agent, *limit, only...)
		if err != nil {
			return err
		}
		return c.print(*form, v1.RevisionPage{Revisions: found}, func(w io.Writer) { c.writeRevisions(w, found) })
	})
	cmd.AddCommand(newHistoryShow(c))
	return cmd
}

// revisions are the newest; all of them where the limit is 0.
func revisions(ctx context.Context, agent *v1.Client, limit int, only ...string) ([]v1.Revision, error) {
	return collect(cmp.Or(limit, all), func(at v1.RequestEditorFn) (*http.Response, error) {
		return agent.ListRevisions(ctx, nil, query(only...), at)
	}, func(p *v1.RevisionPage) ([]v1.Revision, string) { return p.Revisions, p.Next })
}

func (c *console) writeRevisions(w io.Writer, revisions []v1.Revision) {
	var t table
	t.add(bold, "REVISION", "TIME", "AUTHOR", "ORIGIN", "CHANGED", "REASON")
	for _, r := range revisions {
		with, reason := plain, cmp.Or(r.Reason, "-")
		if r.Outcome != v1.OutcomeSettled {
			with, reason = yellow, reason+" ("+outcome(r)+")"
		}
		t.add(with, strconv.FormatUint(r.Revision, 10), r.Time.Local().Format(time.DateTime), r.Author.Name, r.Origin,
			summary(r.Names), reason)
	}
	t.write(w, c)
}

// outcome is how a revision ended that had to be confirmed.
func outcome(r v1.Revision) string {
	if r.Outcome == v1.OutcomePending {
		return "pending until " + r.Confirm.Local().Format(time.TimeOnly)
	}
	return string(r.Outcome)
}

// summary is as many names as fit into a line.
func summary(names []string) string {
	const most = 3
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], " "), more)
	}
	return strings.Join(names, " ")
}

func newHistoryShow(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show REVISION",
		Short: "Show one revision",
		Args:  cobra.ExactArgs(1),
	}
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		number, err := revisionNumber(args[0])
		if err != nil {
			return err
		}
		r, err := answer[v1.Revision](agent.GetRevision(ctx, number))
		if err != nil {
			return err
		}
		return c.print(*form, r, func(w io.Writer) { writeRevision(w, r) })
	})
	return cmd
}

func revisionNumber(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return 0, misused("revision %q: want its number", text)
	}
	return n, nil
}

func writeRevision(w io.Writer, r *v1.Revision) {
	var from string
	if r.Author.From != "" {
		from = " from " + r.Author.From
	}
	fmt.Fprintf(w, "revision  %d, %s\n", r.Revision, outcome(*r))
	fmt.Fprintf(w, "time      %s\n", r.Time.Local().Format(time.RFC3339))
	fmt.Fprintf(w, "author    %s by %s%s\n", r.Author.Name, r.Origin, from)
	fmt.Fprintf(w, "reason    %s\n", cmp.Or(r.Reason, "-"))
	if r.Reverts > 0 {
		fmt.Fprintf(w, "reverts   %d\n", r.Reverts)
	}
	for _, name := range r.Names {
		fmt.Fprintf(w, "  %s\n", name)
	}
}
