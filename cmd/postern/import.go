package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newImport(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE --list LIST | --ingress-nginx MANIFEST...",
		Short: "Add many entries to a list, from lines, CSV, JSON or manifests",
		Long: strings.TrimSpace(`
Add many entries to a list. Lines are an address each, with a comment behind a #;
CSV has a header line with address and any of action, comment, enabled, expires;
JSON is an array of entries. A bad line is told with its number, and nothing is
imported then unless --skip-bad is said. What --replace would take away is shown
first, and on a terminal asked about.

With --ingress-nginx the entries are those of the source-range annotations of
Kubernetes manifests: for the tenant of each host, as the agent knows it or --host
and --tenant say. What would change is shown first, and on a terminal asked about.`),
		Example: `  postern import offices.csv --list 'tenants/acme/*'
  postern import --ingress-nginx --host shop.example.com=acme deploy/*.yaml`,
		Args: cobra.MinimumNArgs(1),
	}
	var in intake
	in.flags(cmd)
	flags := cmd.Flags()
	manifests := flags.Bool("ingress-nginx", false, "read Kubernetes manifests")
	var m manifestFlags
	m.flags(cmd)
	ch := c.changeFlags(cmd)
	cmd.MarkFlagsMutuallyExclusive("list", "ingress-nginx")
	cmd.MarkFlagsOneRequired("list", "ingress-nginx")
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, files []string) error {
		if *manifests {
			return c.importManifests(ctx, agent, &m, &in, ch, files)
		}
		if len(files) > 1 {
			return misused("import: want one FILE")
		}
		return c.importFile(ctx, agent, &in, ch, files[0])
	})
	return cmd
}

// intake says how entries are taken in.
type intake struct {
	list, format     string
	skipBad, replace bool
}

func (in *intake) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&in.list, "list", "", "the list they go into")
	flags.StringVar(&in.format, "format", "", "lines, csv or json (default: by the file's name, else lines)")
	flags.BoolVar(&in.skipBad, "skip-bad", false, "leave out what is bad, and take the rest")
	flags.BoolVar(&in.replace, "replace", false, "the list holds these entries and no others")
	complete(cmd, "format", "lines", "csv", "json")
}

// media is the type of a file's content.
func (in *intake) media(file string) (string, error) {
	byName := strings.TrimPrefix(filepath.Ext(file), ".")
	if byName != "csv" && byName != "json" {
		byName = "lines"
	}
	switch cmp.Or(in.format, byName) {
	case "lines":
		return "text/plain", nil
	case "csv":
		return "text/csv", nil
	case "json":
		return "application/json", nil
	}
	return "", misused("format %q: want lines, csv or json", in.format)
}

func (in *intake) query() v1.RequestEditorFn {
	mode := v1.ImportModeAllOrNothing
	if in.skipBad {
		mode = v1.ImportModeSkipBad
	}
	return query("mode", string(mode), "replace", flagged(in.replace))
}

// importFile imports a file. Where that takes entries away, it is shown before and
// asked about; what is typed in can be read only once.
func (c *console) importFile(ctx context.Context, agent *v1.Client, in *intake, ch *change, name string) error {
	if in.replace && c.interactive && !ch.yes && !ch.dryRun && name != "-" {
		try := &change{writing: &writing{reason: ch.reason, force: ch.force, dryRun: true}, form: new(text)}
		would, err := c.sendFile(ctx, agent, in, try, name)
		if err != nil {
			return err
		}
		writeImported(c.beside(*ch.form), in.list, would)
		if !c.agreed(ctx, "make this change?") {
			return errors.New("nothing was changed")
		}
	}
	sum, err := c.sendFile(ctx, agent, in, ch, name)
	if err == nil && *ch.form == text {
		writeImported(c.out, in.list, sum)
	}
	return err
}

func (c *console) sendFile(ctx context.Context, agent *v1.Client, in *intake, ch *change, name string) (*v1.ImportSummary, error) {
	media, err := in.media(name)
	if err != nil {
		return nil, err
	}
	body := c.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		body = file
	}
	// A reader of its own kind keeps net/http from closing it, and from a length.
	resp, err := accepted(agent.ImportListWithBody(ctx, in.list, nil, media, struct{ io.Reader }{body}, in.query(), ch.edit))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	v := &verdicts{console: c, file: name, form: *ch.form}
	sum, err := v.read(resp.Body)
	if err != nil {
		return nil, err
	}
	return sum, c.imported(sum, in)
}

// imported is why nothing came of an import, if so.
func (c *console) imported(sum *v1.ImportSummary, in *intake) error {
	c.warn(sum.Warnings)
	if sum.Refusal.Type != "" {
		return &sum.Refusal
	}
	if sum.Bad > 0 && !in.skipBad {
		return fmt.Errorf("import: %d of %d lines are bad, and nothing was imported; leave them out with --skip-bad", sum.Bad, sum.Lines)
	}
	return nil
}

func writeImported(w io.Writer, list string, sum *v1.ImportSummary) {
	would := "would be "
	if sum.Applied {
		would = ""
		if sum.Revision == 0 {
			fmt.Fprintln(w, "nothing changes")
		} else {
			fmt.Fprintf(w, "revision %d changes\n", sum.Revision)
		}
	}
	removed := ""
	if sum.Removed > 0 {
		removed = fmt.Sprintf(", %d %sremoved", sum.Removed, would)
	}
	fmt.Fprintf(w, "%s: %d %sadded%s, %d there already, %d bad, of %d lines\n",
		list, sum.Added, would, removed, sum.Same, sum.Bad, sum.Lines)
}
