package main

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newUsers(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "users TENANT",
		Short: "Show and change a tenant's users",
		Args:  cobra.ExactArgs(1),
	}
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		users, err := collect(all, func(at v1.RequestEditorFn) (*http.Response, error) {
			return agent.ListUsers(ctx, args[0], nil, at)
		}, func(p *v1.UserPage) ([]v1.User, string) { return p.Users, p.Next })
		if err != nil {
			return err
		}
		return c.print(*form, v1.UserPage{Users: users}, func(w io.Writer) { c.writeUsers(w, users) })
	})
	cmd.AddCommand(newUserShow(c), newUserSet(c), newUserDelete(c))
	return cmd
}

func (c *console) writeUsers(w io.Writer, users []v1.User) {
	var t table
	t.add(bold, "USER", "NAME", "LISTS", "OWNER")
	for _, u := range users {
		t.add(plain, u.ID, cmp.Or(u.Name, "-"), strconv.Itoa(u.Lists), cmp.Or(u.Owner, "store"))
	}
	t.write(w, c)
}

func newUserShow(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show TENANT USER",
		Short: "Show one user",
		Args:  cobra.ExactArgs(2),
	}
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		u, err := answer[v1.User](agent.GetUser(ctx, args[0], args[1]))
		if err != nil {
			return err
		}
		return c.print(*form, u, func(w io.Writer) { c.writeUsers(w, []v1.User{*u}) })
	})
	return cmd
}

func newUserSet(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set TENANT USER",
		Short: "Make a user, or name it",
		Args:  cobra.ExactArgs(2),
	}
	var spec v1.UserSpec
	cmd.Flags().StringVar(&spec.Name, "name", "", "what the user is called")
	write := &writing{}
	write.reasonFlag(cmd)
	write.dryRunFlag(cmd)
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		resp, err := agent.PutUser(ctx, args[0], args[1], nil, spec, write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}

func newUserDelete(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete TENANT USER",
		Short: "Take a user away, with its lists",
		Args:  cobra.ExactArgs(2),
	}
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		resp, err := agent.DeleteUser(ctx, args[0], args[1], nil, write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}
