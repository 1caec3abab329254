package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

// verified is what a journal was found to be.
type verified struct {
	Lines    int             `json:"lines"`
	From     uint64          `json:"from"`
	To       uint64          `json:"to"`
	Problems policy.Problems `json:"problems"`
}

func newAuditVerify(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [DIR]",
		Short: "Find lines of a journal that were changed, removed or put in",
		Long: strings.TrimSpace(`
Find lines of a journal that were changed, removed, moved or put in. It needs no
agent. That the end was cut off shows only beside the store that the journal is
of: name it with --store while no agent runs.`),
		Args: cobra.MaximumNArgs(1),
	}
	dir := cmd.Flags().String("store", "", "the store's directory, which knows where the journal ends")
	form := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		journal := "/var/lib/postern/audit"
		if len(args) > 0 {
			journal = args[0]
		}
		head, pending, err := journalEnd(*dir)
		if err != nil {
			return err
		}
		r, err := audit.Verify(cmd.Context(), journal, head, pending)
		if err != nil {
			return err
		}
		if r.Lines == 0 && len(r.Problems) == 0 {
			return fmt.Errorf("verify %s: there is no journal", journal)
		}
		found := verified{r.Lines, r.From, r.To, append(policy.Problems{}, r.Problems...)}
		if err := c.print(*form, found, func(w io.Writer) { c.writeVerified(w, found) }); err != nil {
			return err
		}
		if len(found.Problems) > 0 {
			return &exit{code: exitFailed}
		}
		return nil
	}
	return cmd
}

func (c *console) writeVerified(w io.Writer, v verified) {
	c.writeProblems(w, v.Problems)
	if len(v.Problems) == 0 {
		fmt.Fprintf(w, "%d lines, %d to %d, as they were written\n", v.Lines, v.From, v.To)
	}
}
