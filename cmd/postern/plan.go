package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newPlan(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan -f FILE... | LIST",
		Short: "Say what a change would do, and do nothing",
		Long: strings.TrimSpace(`
Say what a change would do, and do nothing: the prefixes it lets in and shuts
out, which of the sources last seen it would shut out or let in, and whether a
guard would refuse it. The change is what list files say, or one of a LIST.

Exits 1 where a guard would refuse.`),
		Example: `  postern plan -f acme.yaml
  postern plan 'tenants/acme/*' --add 203.0.113.0/24 --remove 198.51.100.7`,
	}
	var files, add, remove, deny []string
	flags := cmd.Flags()
	flags.StringArrayVarP(&files, "file", "f", nil, "a list file, a directory of them, or - for stdin")
	flags.StringArrayVar(&add, "add", nil, "add this entry to the LIST")
	flags.StringArrayVar(&deny, "deny", nil, "add this deny entry to the LIST")
	flags.StringArrayVar(&remove, "remove", nil, "remove this entry from the LIST")
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		proposal := v1.Proposal{}
		switch edits := len(add) + len(remove) + len(deny); {
		case len(files) > 0 && edits == 0:
			files = append(files, args...) // *.yaml is more than one
		case len(files) == 0 && len(args) == 1 && edits > 0:
			proposal.Changes = changes(args[0], add, deny, remove)
		default:
			return misused("plan: want -f FILE, or a LIST with --add, --deny or --remove")
		}
		docs, err := c.documents(files)
		if err != nil {
			return err
		}
		proposal.Documents = docs.say
		p, err := answer[v1.Plan](agent.Plan(ctx, proposal))
		if err != nil {
			return docs.locate(err)
		}
		c.warn(p.Warnings)
		if err := c.print(*form, p, func(w io.Writer) { c.writePlan(w, *p) }); err != nil {
			return err
		}
		if p.Refusal.Type != "" {
			return &exit{code: exitFailed}
		}
		return nil
	})
	return cmd
}

// changes are those of one list.
func changes(list string, add, deny, remove []string) []v1.Change {
	var all []v1.Change
	if len(remove) > 0 {
		all = append(all, v1.Change{List: list, Op: v1.ChangeOpRemove, Entries: entriesOf(remove, v1.EntrySpec{})})
	}
	added := append(entriesOf(add, v1.EntrySpec{}), entriesOf(deny, v1.EntrySpec{Action: v1.ActionDeny})...)
	if len(added) > 0 {
		all = append(all, v1.Change{List: list, Op: v1.ChangeOpAdd, Entries: added})
	}
	return all
}

// entriesOf are addresses as entries that are otherwise like one another.
func entriesOf(addresses []string, like v1.EntrySpec) []v1.EntrySpec {
	all := make([]v1.EntrySpec, len(addresses))
	for i, a := range addresses {
		all[i] = like
		all[i].Address = a
	}
	return all
}

func (c *console) writePlan(w io.Writer, p v1.Plan) {
	for _, l := range p.Lists {
		fmt.Fprintf(w, "%s: %s\n", l.List, amounts(l.Added, l.Changed, l.Removed))
		c.writePrefixes(w, l)
	}
	if len(p.Lists)+len(p.Endpoints) == 0 {
		fmt.Fprintln(w, "no list changes")
	}
	c.writeEffects(w, p)
}

func (c *console) writePrefixes(w io.Writer, l v1.ListPlan) {
	for _, prefix := range l.PrefixesRemoved {
		fmt.Fprintln(w, c.paint(red, "  - "+prefix))
	}
	for _, prefix := range l.PrefixesAdded {
		fmt.Fprintln(w, c.paint(green, "  + "+prefix))
	}
	if l.More > 0 {
		fmt.Fprintf(w, "  and %d prefixes more\n", l.More)
	}
}

// writeEffects tells whom a change meets, and whether a guard would let it.
func (c *console) writeEffects(w io.Writer, p v1.Plan) {
	for _, e := range p.Endpoints {
		fmt.Fprintf(w, "%s, of %d sources seen:\n", e.Endpoint, e.Sources)
		c.writeSources(w, red, "shuts out", e.ShutOut)
		c.writeSources(w, green, "lets in", e.LetIn)
	}
	if p.Refusal.Type != "" {
		fmt.Fprintln(w, c.paint(red, "a guard refuses it: "+p.Refusal.Detail))
	}
}

func (c *console) writeSources(w io.Writer, with colour, what string, sources []v1.Source) {
	for _, s := range sources {
		line := "  " + what + " " + s.Address
		if s.Tenant != "" {
			line += " of " + s.Tenant
		}
		if !s.Seen.IsZero() {
			line += ", seen " + ago(s.Seen)
		}
		fmt.Fprintln(w, c.paint(with, line))
	}
}
