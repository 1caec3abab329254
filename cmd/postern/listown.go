package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newListState(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:       "state LIST on|monitor|off",
		Short:     "Let a list count, only be told what it would refuse, or neither",
		Args:      cobra.ExactArgs(2),
		ValidArgs: []string{"on", "monitor", "off"},
	}
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		state := v1.ListState(args[1])
		if !state.Valid() {
			return misused("state %q: want on, monitor or off", args[1])
		}
		resp, err := agent.PatchList(ctx, args[0], nil, v1.ListPatch{State: state}, write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}

func newListDelete(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete LIST",
		Short: "Take a list away: it restricts nothing then",
		Args:  cobra.ExactArgs(1),
	}
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		resp, err := agent.DeleteList(ctx, args[0], nil, write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}

func newListRelease(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "release LIST...",
		Short: "Hand lists over that a file and the store both have, or whose file is gone",
		Long: strings.TrimSpace(`
Hand lists over. A list that a file and the store both have becomes the file's; a
list whose file is gone becomes the store's.`),
		Args: cobra.MinimumNArgs(1),
	}
	write, form := guardFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		for _, list := range args {
			resp, err := agent.ReleaseList(ctx, list, nil, write.edit)
			if err := c.written(*form, resp, err); err != nil {
				return fmt.Errorf("release %s: %w", list, err)
			}
		}
		return nil
	})
	return cmd
}

func newListDrop(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drop FILE...",
		Short: "Give up the lists of files that are gone",
		Long: strings.TrimSpace(`
Give up the lists of files that are gone. A list outlives its file, so that
losing a file admits nobody; what it restricted is open once it is dropped.`),
		Args: cobra.MinimumNArgs(1),
	}
	write := &writing{}
	write.reasonFlag(cmd)
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, files []string) error {
		dropped := v1.Dropped{Lists: []string{}}
		for _, file := range files {
			// The agent knows files by their full path.
			owner, err := filepath.Abs(file)
			if err != nil {
				return err
			}
			d, err := answer[v1.Dropped](agent.DropLists(ctx, &v1.DropListsParams{Owner: owner}, write.edit))
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
	})
	return cmd
}
