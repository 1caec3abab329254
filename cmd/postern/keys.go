package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newKeys(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Show and change who may call the API",
		Args:  cobra.NoArgs,
	}
	tenant := cmd.Flags().String("tenant", "", "only this tenant's")
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, _ []string) error {
		keys, err := collect(all, func(at v1.RequestEditorFn) (*http.Response, error) {
			return agent.ListKeys(ctx, nil, query("tenant", *tenant), at)
		}, func(p *v1.KeyPage) ([]v1.Key, string) { return p.Keys, p.Next })
		if err != nil {
			return err
		}
		return c.print(*form, v1.KeyPage{Keys: keys}, func(w io.Writer) { c.writeKeys(w, keys) })
	})
	cmd.AddCommand(
		newKeyCreate(c), newKeyShow(c), newKeyDelete(c),
		newKeyStatus(c, "block", "Make keys good for nothing, until they are unblocked", v1.KeyStatusBLOCKED),
		newKeyStatus(c, "unblock", "Make blocked keys good again", v1.KeyStatusACTIVE),
	)
	return cmd
}

func (c *console) writeKeys(w io.Writer, keys []v1.Key) {
	var t table
	t.add(bold, "ID", "NAME", "STATUS", "ROLE", "TENANT", "USER", "EXPIRES", "PERMISSIONS")
	for _, k := range keys {
		with, status := plain, string(k.Status)
		if k.Status == v1.KeyStatusACTIVE && !k.Expires.IsZero() && !k.Expires.After(time.Now()) {
			status = "EXPIRED"
		}
		if status != string(v1.KeyStatusACTIVE) {
			with = yellow
		}
		t.add(with, k.ID, k.Name, status, cmp.Or(string(k.Role), "-"), cmp.Or(k.Tenant, "-"), cmp.Or(k.User, "-"),
			instant(k.Expires), cmp.Or(strings.Join(k.Permissions, " "), "-"))
	}
	t.write(w, c)
}

func newKeyCreate(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create --name NAME",
		Short: "Make a key, and print its secret this once",
		Long: strings.TrimSpace(`
Make a key, and print its secret this once: nobody can be told it again. A key may
at most what the caller may.`),
		Example: "  postern keys create --name acme-ci --role tenant-admin --tenant acme --expires 90d",
		Args:    cobra.NoArgs,
	}
	var spec v1.KeySpec
	var expires timeFlag
	flags := cmd.Flags()
	flags.StringVar(&spec.Name, "name", "", "its name, which no other key has")
	flags.StringVar(&spec.Description, "description", "", "for people")
	flags.StringVar((*string)(&spec.Role), "role", "", "admin, operator, tenant-admin, user or reader")
	flags.StringVar(&spec.Tenant, "tenant", "", "whose it is, with the roles tenant-admin and user")
	flags.StringVar(&spec.User, "user", "", "whose it is, with the role user")
	flags.StringArrayVar(&spec.Permissions, "permission", nil, "what it may beside its role; once for each")
	flags.Var(&expires, "expires", "when it ends: a time, or how long from now, 90d for one")
	complete(cmd, "role", "admin", "operator", "tenant-admin", "user", "reader")
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, _ []string) error {
		if spec.Name == "" {
			return misused("keys create: want --name")
		}
		spec.Expires = expires.Time
		k, err := answer[v1.CreatedKey](agent.CreateKey(ctx, spec))
		if err != nil {
			return err
		}
		return c.print(*form, k, func(w io.Writer) {
			fmt.Fprintf(w, "id      %s\nname    %s\nsecret  %s\n", k.ID, k.Name, k.Secret)
		})
	})
	return cmd
}

func newKeyShow(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one key, without its secret",
		Args:  cobra.ExactArgs(1),
	}
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		k, err := answer[v1.Key](agent.GetKey(ctx, args[0]))
		if err != nil {
			return err
		}
		return c.print(*form, k, func(w io.Writer) { c.writeKeys(w, []v1.Key{*k}) })
	})
	return cmd
}

func newKeyStatus(c *console, verb, short string, status v1.KeyStatus) *cobra.Command {
	cmd := &cobra.Command{
		Use:   verb + " ID...",
		Short: short,
		Args:  cobra.MinimumNArgs(1),
	}
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, ids []string) error {
		keys := make([]v1.Key, 0, len(ids))
		var failed error
		for _, id := range ids {
			k, err := answer[v1.Key](agent.PatchKey(ctx, id, v1.KeyPatch{Status: status}))
			if err != nil {
				failed = fmt.Errorf("%s %s: %w", verb, id, err)
				break
			}
			keys = append(keys, *k)
		}
		if len(keys) == 0 {
			return failed
		}
		// What was done before one failed is done, and is told.
		printed := c.print(*form, v1.KeyPage{Keys: keys}, func(w io.Writer) { c.writeKeys(w, keys) })
		return cmp.Or(failed, printed)
	})
	return cmd
}

func newKeyDelete(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete ID...",
		Short: "Take keys away, with their tokens; nothing brings them back",
		Args:  cobra.MinimumNArgs(1),
	}
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, ids []string) error {
		for _, id := range ids {
			resp, err := accepted(agent.DeleteKey(ctx, id))
			if err != nil {
				return fmt.Errorf("delete %s: %w", id, err)
			}
			resp.Body.Close()
			fmt.Fprintln(c.out, "deleted", id)
		}
		return nil
	})
	return cmd
}
