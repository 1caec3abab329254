package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api"
)

func newLists(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lists",
		Short: "Show every list: where it counts, who owns it, what is in it",
		Args:  cobra.NoArgs,
	}
	tenant := cmd.Flags().String("tenant", "", "only this tenant's")
	dial, form := c.agentFlag(cmd), formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		agent, err := dial()
		if err != nil {
			return err
		}
		found, err := agent.Lists(cmd.Context(), *tenant)
		if err != nil {
			return err
		}
		return c.print(*form, found, func(w io.Writer) { c.writeLists(w, found.Lists) })
	}
	cmd.AddCommand(newDrop(c))
	return cmd
}

func newDrop(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drop FILE...",
		Short: "Give up the lists of files that are gone",
		Long: strings.TrimSpace(`
Give up the lists of files that are gone. A list outlives its file, so that
losing a file admits nobody; what it restricted is open once it is dropped.`),
		Args: cobra.MinimumNArgs(1),
	}
	dial, form := c.agentFlag(cmd), formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		agent, err := dial()
		if err != nil {
			return err
		}
		dropped := api.Dropped{Lists: []string{}}
		for _, file := range files {
			// The agent knows files by their full path.
			owner, err := filepath.Abs(file)
			if err != nil {
				return err
			}
			d, err := agent.DropLists(cmd.Context(), owner)
			if err != nil {
				return err
			}
			dropped.Lists = append(dropped.Lists, d.Lists...)
		}
		return c.print(*form, dropped, func(w io.Writer) {
			for _, name := range dropped.Lists {
				fmt.Fprintln(w, "dropped", name)
			}
		})
	}
	return cmd
}

func (c *console) writeLists(w io.Writer, lists []api.List) {
	var t table
	t.add(bold, "LIST", "STATE", "ENTRIES", "LIVE", "EXPIRED", "DISABLED", "OWNER")
	for _, l := range lists {
		with, owner := plain, cmp.Or(l.Owner, "store")
		if l.Orphaned {
			with, owner = yellow, owner+" (gone)"
		}
		t.add(with, l.Name, string(l.State), strconv.Itoa(l.Entries), strconv.Itoa(l.Live),
			strconv.Itoa(l.Expired), strconv.Itoa(l.Disabled), owner)
	}
	t.write(w, c)
}
