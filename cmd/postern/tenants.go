package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newTenants(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tenants",
		Short: "Show and change tenants",
		Args:  cobra.NoArgs,
	}
	match := cmd.Flags().String("match", "", "only those whose id, name or a host contains this text")
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, _ []string) error {
		found, err := tenants(ctx, agent, *match)
		if err != nil {
			return err
		}
		return c.print(*form, v1.TenantPage{Tenants: found}, func(w io.Writer) { c.writeTenants(w, found) })
	})
	cmd.AddCommand(newTenantShow(c), newTenantSet(c), newTenantDelete(c))
	return cmd
}

// tenants are those that match a text, all of them where it is "".
func tenants(ctx context.Context, agent *v1.Client, match string) ([]v1.Tenant, error) {
	return collect(all, func(at v1.RequestEditorFn) (*http.Response, error) {
		return agent.ListTenants(ctx, nil, query("q", match), at)
	}, func(p *v1.TenantPage) ([]v1.Tenant, string) { return p.Tenants, p.Next })
}

func (c *console) writeTenants(w io.Writer, tenants []v1.Tenant) {
	var t table
	t.add(bold, "TENANT", "NAME", "USERS", "LISTS", "SELF-SERVICE", "OWNER", "HOSTS")
	for _, of := range tenants {
		t.add(plain, of.ID, cmp.Or(of.Name, "-"), strconv.Itoa(of.Users), strconv.Itoa(of.Lists),
			yesNo(of.SelfService), cmp.Or(of.Owner, "store"), cmp.Or(strings.Join(of.Hosts, " "), "-"))
	}
	t.write(w, c)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func newTenantShow(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show TENANT",
		Short: "Show one tenant's record",
		Args:  cobra.ExactArgs(1),
	}
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		t, err := answer[v1.Tenant](agent.GetTenant(ctx, args[0]))
		if err != nil {
			return err
		}
		return c.print(*form, t, func(w io.Writer) {
			c.writeTenants(w, []v1.Tenant{*t})
			if len(t.Attributes) > 0 {
				fmt.Fprintf(w, "\nattributes %s\n", t.Attributes)
			}
		})
	})
	return cmd
}

func newTenantSet(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set TENANT",
		Short: "Make a tenant, or change its record",
		Long:  "Make a tenant, or change its record. What is not named stays as it is.",
		Args:  cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	name := flags.String("name", "", "what it is called")
	hosts := flags.StringArray("host", nil, "a host name or pattern it is known by; once for each, in the place of those before")
	selfService := flags.Bool("self-service", true, "its own admins may write its lists")
	attributes := flags.String("attributes", "", "an object of your own, in JSON")
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		if *attributes != "" && !json.Valid([]byte(*attributes)) {
			return misused("attributes %q: want an object in JSON", *attributes)
		}
		is, err := answer[v1.Tenant](agent.GetTenant(ctx, args[0]))
		spec := v1.TenantSpec{}
		switch {
		case isNotFound(err):
			is = &v1.Tenant{}
		case err != nil:
			return err
		default:
			spec.Name, spec.SelfService = is.Name, &is.SelfService
		}
		// Hosts and attributes stay where they are left out.
		for flag, set := range map[string]func(){
			"name":         func() { spec.Name = *name },
			"host":         func() { spec.Hosts = hosts },
			"self-service": func() { spec.SelfService = selfService },
			"attributes":   func() { spec.Attributes = json.RawMessage(*attributes) },
		} {
			if flags.Changed(flag) {
				set()
			}
		}
		resp, err := agent.PutTenant(ctx, args[0], nil, spec, write.edit, ifUnchanged(is.Etag))
		return c.written(*form, resp, err)
	})
	return cmd
}

func newTenantDelete(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete TENANT",
		Short: "Take a tenant away, with its users and lists",
		Args:  cobra.ExactArgs(1),
	}
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		resp, err := agent.DeleteTenant(ctx, args[0], nil, write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}
