package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/datapath"
	"github.com/postern-io/postern/pkg/policy"
)

func newLint(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lint FILE...",
		Short: "Find every mistake in one go, without an agent",
		Long: strings.TrimSpace(`
Find every mistake in one go, a line each: file:line: what; remedy. A FILE is a
postern.yaml, read with the list files it leads to, a list file by itself or a
directory of list files. Errors make lint fail, warnings do not.`),
		Args: cobra.MinimumNArgs(1),
	}
	host := cmd.Flags().Bool("host", false, "fail too on ways that this host has round what postern.yaml guards")
	form := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		if *host && len(files) != 1 {
			return misused("--host: want one FILE, the host's postern.yaml")
		}
		problems := append(policy.Problems{}, config.Lint(files, time.Now())...)
		if *host && problems.Err() == nil {
			ways, err := waysRound(cmd.Context(), files[0])
			if err != nil {
				return err
			}
			problems = append(problems, ways...)
		}
		if err := c.print(*form, problems, func(w io.Writer) { c.writeProblems(w, problems) }); err != nil {
			return err
		}
		if problems.Err() != nil {
			return &exit{code: exitFailed}
		}
		return nil
	}
	return cmd
}

// waysRound are the ways to a guarded socket that this host has beside the
// interfaces of file. One that could not be looked for is a warning.
func waysRound(ctx context.Context, file string) (policy.Problems, error) {
	host, err := datapath.Host()
	if err != nil {
		return nil, err
	}
	t, c, err := compile(file, host)
	if err != nil {
		return nil, err
	}
	var found policy.Problems
	for _, b := range datapath.Bypasses(ctx, t, c.Interfaces) {
		found = append(found, policy.Problem{
			Pos: policy.Pos{File: file}, Warning: b.Kind == "unknown", What: b.Kind + ": " + b.What, Remedy: b.Remedy,
		})
	}
	return found, nil
}

func (c *console) writeProblems(w io.Writer, problems policy.Problems) {
	for _, p := range problems {
		with := red
		if p.Warning {
			with = yellow
		}
		fmt.Fprintln(w, c.paint(with, p.String()))
	}
}
