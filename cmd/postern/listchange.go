package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newListChange(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "change LIST ENTRY",
		Short: "Change what is said of an entry",
		Long: strings.TrimSpace(`
Change what is said of an entry. What is not named stays as it is; the address
itself does not change.`),
		Args: cobra.ExactArgs(2),
	}
	var expires timeFlag
	flags := cmd.Flags()
	comment := flags.String("comment", "", `for people; "" for none`)
	flags.Var(&expires, "expires", "when it stops counting: a time, or how long from now, 30d for one")
	never := flags.Bool("never-expires", false, "it counts for good")
	enabled := flags.Bool("enabled", true, "whether it counts at all")
	deny := flags.Bool("deny", false, "the deny entry, where the list has both")
	cmd.MarkFlagsMutuallyExclusive("expires", "never-expires")
	cmd.MarkFlagsOneRequired("comment", "expires", "never-expires", "enabled")
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		p := &v1.PatchEntryParams{Address: args[1]}
		if *deny {
			p.Action = new(v1.ActionDeny)
		}
		var patch v1.EntryPatch
		if flags.Changed("comment") {
			patch.Comment = comment
		}
		if flags.Changed("enabled") {
			patch.Enabled = enabled
		}
		switch {
		case *never:
			patch.Expires = json.RawMessage("null")
		case flags.Changed("expires"):
			patch.Expires = json.RawMessage(`"` + expires.String() + `"`)
		}
		resp, err := agent.PatchEntry(ctx, args[0], p, patch, write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}
