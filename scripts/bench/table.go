package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// section is one table: which points, and what they say.
type section struct{ key, title string }

var sections = []section{
	{"programs", "Programs"},
	{"classes", "Program time by class of packet, everything in the caches"},
	{"list", "Program time over a bare drop (Decide: in Go, alone), ns, by ranges in the list; every packet from another source"},
	{"list-warm", "the same; every packet from the same source"},
	{"list-cold", "the same as the first; the caches are swept between the packets"},
	{"named", "Program time over a bare drop, ns, for lists as they are found; every packet from another source"},
	{"named-warm", "the same; every packet from the same source"},
	{"named-cold", "the same as the first; the caches are swept between the packets"},
	{"destinations", "Program time over a bare drop, ns, by endpoints, each on an address of its own with a tenant of its own; uniform over all"},
	{"destinations-warm", "the same; every packet the same"},
	{"destinations-cold", "the same as the first; the caches are swept between the packets"},
	{"cpus", "Packets of all tenants judged at the same time on several CPUs"},
	{"live", "Live frames from addresses not on the list, dropped, Mpps on one CPU, by prefixes in the list"},
	{"live-ns", "the same, ns a frame: sending it, the veth, the filter"},
	{"live-share", "the same, share of the bare drop's rate"},
	{"live-over", "Postern's rate over that of"},
	{"mixed", "A listed client under a flood of others, 7,905 prefixes"},
	{"start", "Cold start, seconds since its beginning"},
	{"update", "Changes: of one entry, by step, and of everything (compiled and applied)"},
	{"api", "Changes over the API: one entry of one tenant, answered when enforced and durable"},
	{"memory", "Memory"},
	{"gate", "Gate: one decision, by the benchmark of pkg/gate"},
	{"flips", "Whole lists replaced under full load, by the test of pkg/datapath"},
}

// print writes every table, and last how the goals stand.
func (j *journal) print(w io.Writer, colour bool) {
	for _, sec := range sections {
		points := j.of(sec.key)
		if len(points) == 0 {
			continue
		}
		columns := distinct(points, series)
		fmt.Fprintf(w, "%s\n", sec.title)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintf(t, "  \t%s\n", strings.Join(columns, "\t"))
		for _, r := range distinct(points, row) {
			fmt.Fprintf(t, "  %s\t%s\n", r, strings.Join(cells(points, r, columns), "\t"))
		}
		t.Flush()
		fmt.Fprintln(w)
	}
	j.printGoals(w, colour)
}

func cells(points []point, r string, columns []string) []string {
	texts := make([]string, len(columns))
	for i, column := range columns {
		at := slices.IndexFunc(points, func(p point) bool { return p.Row == r && p.Series == column })
		if texts[i] = "-"; at >= 0 {
			texts[i] = points[at].text("")
		}
	}
	return texts
}

func (j *journal) printGoals(w io.Writer, colour bool) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WORK\tGOAL\tMEASURED\tVERDICT")
	for _, r := range j.Goals {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.Work, r.Goal, r.Measured, paint(r.text(), r.Verdict, colour))
	}
	t.Flush()
	fmt.Fprintln(w)
	for _, text := range append(j.reasons(), j.remarks()...) {
		fmt.Fprintln(w, text)
	}
}

// reasons are why goals were missed, and what would be tried next; goals with
// the same answer share it.
func (j *journal) reasons() []string {
	works := map[string][]string{}
	var whys []string
	for _, r := range j.Goals {
		if r.Why != "" && works[r.Why] == nil {
			whys = append(whys, r.Why)
		}
		works[r.Why] = append(works[r.Why], r.Work)
	}
	for i, why := range whys {
		whys[i] = fmt.Sprintf("Missed, %s: %s.", strings.Join(works[why], "; "), why)
	}
	return whys
}

// remarks are what the reader of the numbers has to know.
func (j *journal) remarks() []string {
	m := j.Machine
	texts := []string{fmt.Sprintf("Ratios travel, times are this machine's: %d x %s, %d MB of last cache, Linux %s, %s, %s.",
		m.CPUs, m.CPU, m.L3>>20, m.Kernel, m.Go, m.Date.Format("2006-01-02"))}
	if j.Quick {
		texts = append(texts, "A quick run: few rounds, and not everything.")
	}
	for _, l := range j.Loads {
		texts = append(texts, fmt.Sprintf("Load: %s, %s prefixes, %s.", l.Name, thousands(l.Prefixes), l.From))
	}
	if len(j.Peers) > 0 {
		texts = append(texts, "Peers: "+strings.Join(j.Peers, "; ")+".")
	}
	return append(texts, j.Notes...)
}

// text is r's verdict, and by how much it was missed.
func (r result) text() string {
	switch {
	case r.Off > 1:
		return fmt.Sprintf("%s by a factor of %s", r.Verdict, number(1+r.Off))
	case r.Off > 0:
		return fmt.Sprintf("%s by %.0f %%", r.Verdict, 100*r.Off)
	}
	return string(r.Verdict)
}

func paint(text string, v verdict, colour bool) string {
	style := map[verdict]string{held: "32", missed: "31"}[v]
	if !colour || style == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// colourful reports whether f is a terminal whose reader wants colours.
func colourful(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == ""
}
