package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newLists(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lists",
		Short: "Show and change lists",
		Long: strings.TrimSpace(`
Show every list: where it counts, who owns it, how much is in it; and change
lists. A list's name is system/RESOURCE, tenants/TENANT/RESOURCE,
tenants/TENANT/users/USER/RESOURCE or endpoints/ENDPOINT. Quote a * in it.`),
		Example: `  postern lists --tenant acme
  postern lists add 'tenants/acme/*' 203.0.113.0/24 --comment Paris --expires 30d`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	tenant := flags.String("tenant", "", "only this tenant's")
	scope := flags.String("scope", "", "only of this scope: system, tenant, user or endpoint")
	owner := flags.String("owner", "", "only this owner's: store, or a file")
	orphaned := flags.Bool("orphaned", false, "only those whose file is gone")
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, _ []string) error {
		only := query("tenant", *tenant, "scope", *scope, "owner", *owner, "orphaned", flagged(*orphaned))
		lists, err := collect(all, func(at v1.RequestEditorFn) (*http.Response, error) {
			return agent.ListLists(ctx, nil, only, at)
		}, func(p *v1.ListPage) ([]v1.List, string) { return p.Lists, p.Next })
		if err != nil {
			return err
		}
		return c.print(*form, v1.ListPage{Lists: lists}, func(w io.Writer) { c.writeLists(w, lists) })
	})
	cmd.AddCommand(
		newListShow(c), newListAdd(c), newListRemove(c), newListChange(c), newListSet(c), newListClear(c), newListState(c), newListDelete(c),
		newListRelease(c), newListDrop(c),
	)
	return cmd
}

func (c *console) writeLists(w io.Writer, lists []v1.List) {
	var t table
	t.add(bold, "LIST", "STATE", "ENTRIES", "LIVE", "EXPIRED", "DISABLED", "OWNER")
	for _, l := range lists {
		with, owner := plain, cmp.Or(l.Owner, "store")
		if l.Orphaned {
			with, owner = yellow, owner+" (gone)"
		}
		t.add(with, l.Name, string(l.State), strconv.Itoa(l.Entries), strconv.Itoa(l.Live),
			strconv.Itoa(l.Expired), strconv.Itoa(l.Disabled), owner)
	}
	t.write(w, c)
}

func newListShow(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show LIST",
		Short: "Show one list with its entries",
		Args:  cobra.ExactArgs(1),
	}
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		l, err := answer[v1.WholeList](agent.GetList(ctx, args[0], nil))
		if err != nil {
			return err
		}
		return c.print(*form, l, func(w io.Writer) { c.writeList(w, l) })
	})
	return cmd
}

func (c *console) writeList(w io.Writer, l *v1.WholeList) {
	owner := cmp.Or(l.Owner, "store")
	if l.Orphaned {
		owner = c.paint(yellow, owner+" (gone)")
	}
	fmt.Fprintf(w, "list   %s\nstate  %s\nowner  %s\netag   %s\n\n", c.paint(bold, l.Name), l.State, owner, l.Etag)
	var t table
	t.add(bold, "ENTRY", "ACTION", "COUNTS", "EXPIRES", "AUTHOR", "COMMENT")
	for _, e := range l.Entries {
		with, counts := plain, "yes"
		switch {
		case !e.Enabled:
			with, counts = yellow, "disabled"
		case !e.Live:
			with, counts = yellow, "expired"
		}
		t.add(with, e.Address, string(e.Action), counts, instant(e.Expires), cmp.Or(e.Author, "-"), cmp.Or(e.Comment, "-"))
	}
	t.write(w, c)
}

// instant is a time as it is written in lists.
func instant(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
