package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/policy"
)

func newExplain(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain ADDR",
		Short: "Say whether an address may pass, and which entry says so",
		Long: strings.TrimSpace(`
Say whether an address may pass, who enforces it and which entry says so. Asked
is the running agent, or with -c the files, as if they were in force; with --list
the agent, as if it held what list files say.

Exits 0 where the address is allowed, 1 where it is denied, 3 where there is no
answer.`),
		Args: cobra.ExactArgs(1),
	}
	var q api.Question
	flags := cmd.Flags()
	flags.StringVar(&q.Endpoint, "endpoint", "", "at this endpoint (default: by the lists alone)")
	flags.StringVar(&q.Tenant, "tenant", "", "for this tenant (default: any that the endpoint serves)")
	flags.StringVar(&q.User, "user", "", "for this user of the tenant")
	flags.StringVar(&q.Resource, "resource", "", "for this resource (default: the endpoint's)")
	file := flags.StringP("config", "c", "", "ask this postern.yaml instead of the agent")
	var lists []string
	flags.StringArrayVar(&lists, "list", nil, "as if this list file, or - for stdin, were applied")
	dial, form := c.agentFlags(cmd), formatFlag(cmd)
	cmd.MarkFlagsMutuallyExclusive("config", "api")
	cmd.MarkFlagsMutuallyExclusive("config", "list")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		q.Address = args[0]
		if a, err := netip.ParseAddr(q.Address); err != nil || a.Zone() != "" {
			return misused("address %q: want one IPv4 or IPv6 address", q.Address)
		}
		x, err := c.explain(cmd.Context(), *file, lists, dial, q)
		if err != nil {
			return noAnswer(err)
		}
		if err := c.print(*form, x, func(w io.Writer) { c.writeExplanation(w, x) }); err != nil {
			return err
		}
		if x.Verdict != "allow" {
			return &exit{code: exitFailed}
		}
		return nil
	}
	return cmd
}

// noAnswer is the end where err kept the question from its answer, unless the
// question itself was put wrongly.
func noAnswer(err error) error {
	var end *exit
	if errors.As(err, &end) {
		return end
	}
	return &exit{exitNoAnswer, err}
}

// explain asks the files if one is named, else the agent.
func (c *console) explain(ctx context.Context, file string, lists []string, dial func() (*v1.Client, error), q api.Question) (*api.Explanation, error) {
	if file != "" {
		// What the host's addresses are is of no matter to the law.
		t, _, err := compile(file, policy.Host{})
		if err != nil {
			return nil, err
		}
		x, err := api.Explain(t, q)
		return &x, err
	}
	docs, err := c.documents(lists)
	if err != nil {
		return nil, err
	}
	agent, err := dial()
	if err != nil {
		return nil, err
	}
	if len(lists) == 0 {
		return answer[api.Explanation](agent.Explain(ctx, &v1.ExplainParams{Address: q.Address},
			query("endpoint", q.Endpoint, "tenant", q.Tenant, "user", q.User, "resource", q.Resource)))
	}
	x, err := answer[api.Explanation](agent.ExplainProposed(ctx, v1.ProposedQuestion{
		Address: q.Address, Endpoint: q.Endpoint, Tenant: q.Tenant, User: q.User, Resource: q.Resource,
		Proposal: v1.Proposal{Documents: docs.say},
	}))
	return x, docs.locate(err)
}

// compile is the policy that postern.yaml and the list files say.
func compile(file string, host policy.Host) (*policy.Table, *config.Config, error) {
	c, problems := config.Read(file)
	lists, more := c.ReadLists(nil)
	if err := append(problems, more...).Err(); err != nil {
		return nil, nil, err
	}
	t, err := policy.Compile(c.With(lists), host, time.Now())
	return t, c, err
}

func (c *console) writeExplanation(w io.Writer, x *api.Explanation) {
	headline, with := x.Verdict+" "+x.Address, green
	if x.Verdict != "allow" {
		with = red
	}
	if x.Endpoint != "" {
		headline += " at " + x.Endpoint
	}
	fmt.Fprintln(w, c.paint(with, headline))
	fmt.Fprintln(w, "  "+because(x))
	fmt.Fprintln(w, "  "+consequence(x))
}

// because is "deny-entry 203.0.113.9 in tenants/acme/* (acme.yaml:9)".
func because(x *api.Explanation) string {
	words := []string{x.Reason}
	if x.Entry != "" {
		words = append(words, x.Entry)
	}
	if x.List != "" {
		words = append(words, "in", x.List)
	} else if x.Tenant != "" {
		words = append(words, "tenant", x.Tenant)
	}
	if at := x.At.String(); at != "" {
		words = append(words, "("+at+")")
	}
	return strings.Join(words, " ")
}

func consequence(x *api.Explanation) string {
	switch {
	case x.Where == "nowhere":
		return "not enforced: the packet passes, and no gate stands behind"
	case !x.Enforced:
		return "not enforced: only monitored"
	case x.Where == "":
		return "by the lists of " + asked(x) + " alone; ask with --endpoint what comes of it"
	}
	return "enforced by the " + x.Where
}

// asked names whose lists were judged where no endpoint was named.
func asked(x *api.Explanation) string {
	if x.Tenant == "" {
		return "the system"
	}
	return "the system and " + x.Tenant
}
