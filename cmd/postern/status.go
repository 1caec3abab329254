package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/policy"
)

func newStatus(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what is guarded, by which lists, and what is wrong",
		Args:  cobra.NoArgs,
	}
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, _ []string) error {
		st, err := answer[v1.Status](agent.GetStatus(ctx))
		if err != nil {
			return err
		}
		return c.print(*form, st, func(w io.Writer) { c.writeStatus(w, st) })
	})
	return cmd
}

func (c *console) writeStatus(w io.Writer, st *v1.Status) {
	c.writeAgent(w, st)
	c.writeInterfaces(w, st.Interfaces)
	fmt.Fprintln(w)
	c.writeEndpoints(w, st.Endpoints)
	if len(st.Orphaned) > 0 {
		c.heading(w, "ORPHANED LISTS hold though their file is gone: postern lists release NAME hands one to the store, postern lists drop FILE gives them up")
		for _, l := range st.Orphaned {
			fmt.Fprintf(w, "%s (%s)\n", l.Name, l.Owner)
		}
	}
	if len(st.Problems) > 0 {
		c.heading(w, "PROBLEMS")
		c.writeProblems(w, findings(st.Problems))
	}
	if len(st.Bypasses) > 0 {
		c.heading(w, "OTHER WAYS to a guarded socket")
		for _, b := range st.Bypasses {
			fmt.Fprintln(w, bypassLine(b))
		}
	}
}

func (c *console) heading(w io.Writer, s string) {
	fmt.Fprintf(w, "\n%s\n", c.paint(bold, s))
}

func (c *console) writeAgent(w io.Writer, st *v1.Status) {
	state := c.paint(stateColour(st.State), string(st.State))
	if st.Why != "" {
		state += ": " + st.Why
	}
	fmt.Fprintf(w, "agent     %s\n", state)
	fmt.Fprintf(w, "revision  %d since %s, mode %s\n", st.Revision, moment(st.Since), st.Mode)
	fmt.Fprintf(w, "files     %s, read %s\n", st.Config, moment(st.Reload.At))
	if !st.Reload.Ok {
		first, _, _ := strings.Cut(st.Reload.Error, "\n") // the rest stands among the problems
		fmt.Fprintf(w, "          %s\n", c.paint(red, "not in force: "+first))
	}
	fmt.Fprintf(w, "policy    %d tenants, %d lists, %d entries", st.Count.Tenants, st.Count.Lists, st.Count.Entries)
	if !st.NextExpiry.IsZero() {
		fmt.Fprintf(w, ", the next ends at %s", st.NextExpiry.Format(time.RFC3339))
	}
	fmt.Fprintf(w, "\nkernel    %d lists, index %s of at most %s, %s in all; %d events lost\n", st.Kernel.Lists,
		size(uint64(st.Kernel.IndexBytes)), size(uint64(st.Kernel.MaxIndex)), size(st.Kernel.Bytes), st.EventsLost)
	if st.Kernel.InTries > 0 {
		fmt.Fprintf(w, "          %s\n", c.paint(yellow, fmt.Sprintf("%d lists are in the slower tries, the index is full; %d of %d prefixes there",
			st.Kernel.InTries, st.Kernel.Prefixes, st.Kernel.Capacity)))
	}
}

// findings are problems as lint tells them.
func findings(found []v1.Finding) policy.Problems {
	all := make(policy.Problems, len(found))
	for i, f := range found {
		all[i] = policy.Problem{Pos: policy.Pos(f.Pos), Warning: f.Warning, What: f.What, Remedy: f.Remedy}
	}
	return all
}

func stateColour(state v1.StatusState) colour {
	if state == v1.StatusStateOk {
		return green
	}
	return red
}

func (c *console) writeInterfaces(w io.Writer, interfaces []v1.Interface) {
	fmt.Fprintln(w)
	var t table
	t.add(bold, "INTERFACE", "MODE", "SINCE", "WHY")
	for _, i := range interfaces {
		with, why := plain, i.Why
		if i.Error != "" {
			with, why = red, i.Error
		}
		t.add(with, i.Name, string(i.Mode), moment(i.Since), why)
	}
	t.write(w, c)
}

func (c *console) writeEndpoints(w io.Writer, endpoints []v1.Endpoint) {
	var t table
	t.add(bold, "ENDPOINT", "SERVES", "CLIENT", "REFUSE", "MODE", "PASS", "DROP", "WOULD DROP", "LISTS")
	for _, e := range endpoints {
		with, judged := plain, strings.Join(e.Lists, " ")
		if e.Open != "" {
			with, judged = yellow, strings.TrimSpace("OPEN ("+e.Open+") "+judged)
		}
		t.add(with, e.Name, serves(e), e.Client, string(e.Refuse), string(e.Mode),
			volume(e.Pass), volume(e.Drop), volume(e.WouldDrop), judged)
	}
	t.write(w, c)
}

// serves is "tcp 203.0.113.10:443,8000-8010".
func serves(e v1.Endpoint) string {
	to := e.Destination
	if strings.Contains(to, ":") {
		to = "[" + to + "]"
	}
	if len(e.Ports) == 0 {
		return string(e.Protocol) + " " + to
	}
	return string(e.Protocol) + " " + to + ":" + strings.Join(e.Ports, ",")
}

func bypassLine(b v1.Bypass) string {
	line := b.Kind + ": " + b.What
	if b.Remedy != "" {
		line += "; " + b.Remedy
	}
	return line
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return ago(t)
}

func volume(v v1.Volume) string {
	if v.Packets == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%s)", v.Packets, size(v.Bytes))
}

// size is n bytes in the unit that leaves at most three digits before the point.
func size(n uint64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1000, 0
	for ; f >= 999.95; unit++ {
		f /= 1000
	}
	return fmt.Sprintf("%.1f %cB", f, units[unit])
}
