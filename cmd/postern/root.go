package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// What a command's exit says.
const (
	exitFailed   = 1 // refused or failed
	exitMisused  = 2
	exitNoAnswer = 3 // explain has none
)

// exit is an error that says how the command ends. With a nil err all has been
// said already.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return fmt.Sprint(e.err) }

func (e *exit) Unwrap() error { return e.err }

func misused(format string, args ...any) error {
	return &exit{exitMisused, fmt.Errorf(format, args...)}
}

func (c *console) run(ctx context.Context, args []string) int {
	root := newRoot(c)
	root.SetArgs(args)
	root.SetOut(c.out)
	root.SetErr(c.err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	// What did not come out of a command is cobra's own refusal of the arguments.
	end := &exit{exitMisused, err}
	errors.As(err, &end)
	if end.err != nil {
		fmt.Fprintf(c.err, "postern: %s\n", told(end.err))
	}
	if end.code == exitMisused {
		fmt.Fprintf(c.err, "see: %s --help\n", cmd.CommandPath())
	}
	return end.code
}

func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:   "postern",
		Short: "IP allowlists, enforced in the network driver and on the request",
		Long: strings.TrimSpace(`
Postern keeps the IP allowlists of a multi-tenant host. It drops in the network
driver every packet that no list admits, and answers 403 where a packet alone
cannot tell. An address is refused for a reason; explain says which.`),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(
		newInit(c), newRun(c), newLint(c), newReload(c),
		newExplain(c), newPlan(c), newApply(c), newImport(c), newExport(c),
		newLists(c), newTenants(c), newUsers(c), newEndpoints(c), newFiltering(c),
		newHistory(c), newDiff(c), newRollback(c), newConfirm(c),
		newKeys(c), newAudit(c), newStatus(c), newWatch(c), newStore(c), newDetach(c), newVersion(c),
	)
	root.SetHelpCommand(newHelp(root))
	failing(root)
	return root
}

// newHelp is cobra's but for the end: asking about nothing is misuse.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command",
		RunE: func(_ *cobra.Command, args []string) error {
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return misused("help: there is no command %q", strings.Join(args, " "))
			}
			return about.Help()
		},
	}
}

// failing makes what a command returns a failure, unless it says otherwise.
func failing(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			err := run(cmd, args)
			var end *exit
			if err == nil || errors.As(err, &end) {
				return err
			}
			return &exit{exitFailed, err}
		}
	}
	for _, sub := range cmd.Commands() {
		failing(sub)
	}
}
