package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newFiltering(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "filtering [on|off]",
		Short: "Show or turn the switch that lifts all lists",
		Long: strings.TrimSpace(`
Show or turn the switch that lifts the lists of the system, of tenants and of
users. Endpoints' own lists, proxies and the failsafe stay.`),
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: []string{"on", "off"},
	}
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		if len(args) == 0 {
			is, err := answer[v1.Filtering](agent.GetFiltering(ctx))
			if err != nil {
				return err
			}
			return c.print(*form, is, func(w io.Writer) { fmt.Fprintln(w, "filtering", is.Filtering) })
		}
		state := v1.FilteringState(args[0])
		if !state.Valid() {
			return misused("filtering %q: want on or off", args[0])
		}
		resp, err := agent.PutFiltering(ctx, nil, v1.FilteringSpec{Filtering: state}, write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}
