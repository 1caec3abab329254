package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newReload(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Read the files now",
		Long: strings.TrimSpace(`
Read postern.yaml and the list files now, as the agent does by itself when they
change, and say when what they say is in force.`),
		Args: cobra.NoArgs,
	}
	write, form := guardFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, _ []string) error {
		resp, err := agent.Reload(ctx, nil, write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}
