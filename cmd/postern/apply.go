package main

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/policy"
)

func newApply(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply -f FILE...",
		Short: "Make the lists what list files say, in one revision",
		Long: strings.TrimSpace(`
Make the lists of the store what list files say, in one revision. What a file
does not name stays as it is. What would change is shown first, and on a terminal
asked about. A file may hold several list files, apart by lines "---", as export
writes them.`),
		Example: "  postern apply -f acme.yaml --diff",
	}
	var files []string
	flags := cmd.Flags()
	flags.StringArrayVarP(&files, "file", "f", nil, "a list file, a directory of them, or - for stdin")
	byEntry := flags.Bool("diff", false, "show the entries that differ, not the prefixes")
	ch := c.changeFlags(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, more []string) error {
		if len(files) == 0 {
			return misused("apply: want -f FILE")
		}
		docs, err := c.documents(append(files, more...)) // *.yaml is more than one
		if err != nil {
			return err
		}
		ch.send = func(edit v1.RequestEditorFn) (*http.Response, error) {
			return agent.Apply(ctx, nil, v1.Proposal{Documents: docs.say}, edit)
		}
		if *byEntry {
			ch.show = func(w io.Writer, would *v1.Written) error { return c.writeEntries(ctx, w, agent, docs, would) }
		}
		return docs.locate(c.make(ctx, ch))
	})
	return cmd
}

// writeEntries tells what a change does by entry, and of what else it changes the
// name.
func (c *console) writeEntries(ctx context.Context, w io.Writer, agent *v1.Client, docs *documents, would *v1.Written) error {
	proposed := docs.lists()
	for _, name := range would.Names {
		d := v1.RecordDiff{Name: name, Change: v1.RecordDiffChangeChanged}
		if l := proposed[name]; l != nil {
			is, err := answer[v1.WholeList](agent.GetList(ctx, name, nil))
			switch {
			case isNotFound(err):
				d.Change, is = v1.RecordDiffChangeAdded, &v1.WholeList{}
			case err != nil:
				return err
			}
			differ(&d, is, l)
		}
		c.writeRecordDiff(w, d)
	}
	c.writeEffects(w, would.Plan)
	return nil
}

// entryKey is what tells an entry from another.
type entryKey struct{ address, action string }

// differ compares a list as it is with what it is to be.
func differ(d *v1.RecordDiff, is *v1.WholeList, next *policy.List) {
	was := map[entryKey]v1.Entry{}
	for _, e := range is.Entries {
		was[entryKey{e.Canonical, string(e.Action)}] = e
	}
	for _, e := range next.Entries {
		then := v1.Entry{
			Address: e.Text, Action: v1.Action(e.Action.String()), Comment: e.Comment, Enabled: !e.Disabled, Expires: e.Expires,
		}
		key := entryKey{addr.String(e.Range), e.Action.String()}
		now, has := was[key]
		delete(was, key)
		switch {
		case !has:
			d.Added = append(d.Added, then)
		case now.Comment != then.Comment || now.Enabled != then.Enabled || !now.Expires.Equal(then.Expires):
			d.Changed = append(d.Changed, v1.EntryDiff{Before: now, After: then})
		}
	}
	for _, e := range is.Entries { // in their order
		if _, gone := was[entryKey{e.Canonical, string(e.Action)}]; gone {
			d.Removed = append(d.Removed, e)
		}
	}
}
