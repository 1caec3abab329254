package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/audit"
)

func newAudit(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show what was done and what was refused, the newest first",
		Long: strings.TrimSpace(`
Show what was done and what was refused, the newest first. With -o json these are
lines of the journal as they stand in it.`),
		Args: cobra.NoArgs,
	}
	since, until := timeFlag{past: true}, timeFlag{past: true}
	flags := cmd.Flags()
	tenant := flags.String("tenant", "", "only what concerns this tenant")
	actor := flags.String("actor", "", "only by this caller, a name or a key's id")
	action := flags.String("action", "", "only this action")
	outcome := flags.String("outcome", "", "only what was done (success), or refused (failure)")
	flags.Var(&since, "since", "nothing before this time, or so long ago, 7d for one")
	flags.Var(&until, "until", "nothing from this time on")
	limit := flags.Int("limit", 100, "how many; 0 for all")
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, _ []string) error {
		only := query("tenant", *tenant, "actor", *actor, "action", *action, "outcome", *outcome,
			"since", since.String(), "until", until.String())
		lines, err := collect(cmp.Or(*limit, all), func(at v1.RequestEditorFn) (*http.Response, error) {
			return agent.ListAudit(ctx, nil, only, at)
		}, func(p *v1.AuditPage) ([]v1.AuditEvent, string) { return p.Events, p.Next })
		if err != nil {
			return err
		}
		if *form == jsonForm {
			for _, line := range lines {
				fmt.Fprintf(c.out, "%s\n", line)
			}
			return nil
		}
		return c.writeAudit(c.out, lines)
	})
	cmd.AddCommand(newAuditVerify(c))
	return cmd
}

// auditLine is what of a journal's line stands in a table.
type auditLine struct {
	Time  time.Time `json:"@timestamp"`
	Event struct {
		Action  string        `json:"action"`
		Outcome audit.Outcome `json:"outcome"`
	} `json:"event"`
	User struct {
		Name string `json:"name"`
	} `json:"user"`
	Source struct {
		IP string `json:"ip"`
	} `json:"source"`
	Error struct {
		Message string `json:"message"`
	} `json:"error"`
	Postern struct {
		Objects []string `json:"objects"`
	} `json:"postern"`
}

func (c *console) writeAudit(w io.Writer, lines []v1.AuditEvent) error {
	var t table
	t.add(bold, "TIME", "OUTCOME", "ACTION", "ACTOR", "FROM", "WHAT", "WHY")
	for _, text := range lines {
		var l auditLine
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("read the journal's line: %w", err)
		}
		with := plain
		if l.Event.Outcome != audit.Success {
			with = red
		}
		t.add(with, l.Time.Local().Format(time.DateTime), string(l.Event.Outcome), l.Event.Action, cmp.Or(l.User.Name, "-"),
			cmp.Or(l.Source.IP, "-"), cmp.Or(summary(l.Postern.Objects), "-"), strings.ReplaceAll(l.Error.Message, "\n", ", "))
	}
	t.write(w, c)
	return nil
}
