package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newDiff(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff REVISION [REVISION|current]",
		Short: "Show what is between two revisions",
		Long: strings.TrimSpace(`
Show what is between two revisions, or what one changed. It leads from the older
to the newer; current is what is in force.`),
		Args: cobra.RangeArgs(1, 2),
	}
	list := cmd.Flags().String("list", "", "only this list")
	tenant := cmd.Flags().String("tenant", "", "only this tenant")
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		number, err := revisionNumber(args[0])
		if err != nil {
			return err
		}
		only := query("list", *list, "tenant", *tenant, "against", strings.Join(args[1:], ""))
		d, err := answer[v1.Diff](agent.DiffRevision(ctx, number, nil, only))
		if err != nil {
			return err
		}
		return c.print(*form, d, func(w io.Writer) {
			for _, r := range d.Records {
				c.writeRecordDiff(w, r)
			}
		})
	})
	return cmd
}

// writeRecordDiff tells how a record differs, of a list entry by entry.
func (c *console) writeRecordDiff(w io.Writer, d v1.RecordDiff) {
	fmt.Fprintf(w, "%s %s\n", d.Name, d.Change)
	if !bytes.Equal(d.Before, d.After) {
		c.writeSide(w, red, "  - ", d.Before)
		c.writeSide(w, green, "  + ", d.After)
	}
	for _, e := range d.Removed {
		fmt.Fprintln(w, c.paint(red, "  - "+entryLine(e)))
	}
	for _, e := range d.Changed {
		fmt.Fprintln(w, c.paint(yellow, "  ~ "+entryLine(e.Before)))
		fmt.Fprintln(w, c.paint(yellow, "    "+entryLine(e.After)))
	}
	for _, e := range d.Added {
		fmt.Fprintln(w, c.paint(green, "  + "+entryLine(e)))
	}
}

// writeSide tells what a record is that was or is not there on the other side.
func (c *console) writeSide(w io.Writer, with colour, sign string, record []byte) {
	if len(record) > 0 {
		fmt.Fprintln(w, c.paint(with, sign+string(record)))
	}
}

// entryLine is "deny 203.0.113.0/24 until 2027-01-31T00:00:00Z, disabled # Paris".
func entryLine(e v1.Entry) string {
	line := e.Address
	if e.Action == v1.ActionDeny {
		line = "deny " + line
	}
	if !e.Expires.IsZero() {
		line += " until " + instant(e.Expires)
	}
	if !e.Enabled {
		line += ", disabled"
	}
	if e.Comment != "" {
		line += " # " + e.Comment
	}
	return line
}
