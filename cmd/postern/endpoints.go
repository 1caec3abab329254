package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newEndpoints(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "endpoints",
		Short: "Show and change what the host serves",
		Args:  cobra.NoArgs,
	}
	flags := cmd.Flags()
	project := flags.String("project", "", "only this project's")
	service := flags.String("service", "", "only services of this name")
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, _ []string) error {
		endpoints, err := collect(all, func(at v1.RequestEditorFn) (*http.Response, error) {
			return agent.ListEndpoints(ctx, nil, query("project", *project, "service", *service), at)
		}, func(p *v1.EndpointPage) ([]v1.Endpoint, string) { return p.Endpoints, p.Next })
		if err != nil {
			return err
		}
		return c.print(*form, v1.EndpointPage{Endpoints: endpoints}, func(w io.Writer) { c.writeEndpoints(w, endpoints) })
	})
	cmd.AddCommand(newEndpointShow(c), newEndpointSet(c), newEndpointDelete(c), newEndpointSecurity(c))
	return cmd
}

func newEndpointShow(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ENDPOINT",
		Short: "Show one endpoint, and what comes of it",
		Args:  cobra.ExactArgs(1),
	}
	form := formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		e, err := answer[v1.EndpointRecord](agent.GetEndpoint(ctx, args[0]))
		if err != nil {
			return err
		}
		return c.print(*form, e, func(w io.Writer) {
			fmt.Fprintf(w, "owner  %s\netag   %s\n\n", cmp.Or(e.Owner, "store"), e.Etag)
			c.writeEndpoints(w, []v1.Endpoint{e.Status})
		})
	})
	return cmd
}

func newEndpointSet(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set ENDPOINT",
		Short: "Make an endpoint of the store's, or change it",
		Long: strings.TrimSpace(`
Make an endpoint of the store's, or change it. What is not named stays as it is;
with -f the endpoint is what the file says, which is the "spec" that endpoints show
-o json prints.`),
		Args: cobra.ExactArgs(1),
	}
	var f endpointFlags
	f.add(cmd)
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		is, err := answer[v1.EndpointRecord](agent.GetEndpoint(ctx, args[0]))
		switch {
		case isNotFound(err):
			is = &v1.EndpointRecord{}
		case err != nil:
			return err
		}
		spec, err := f.over(c, cmd, is.Spec)
		if err != nil {
			return err
		}
		resp, err := agent.PutEndpoint(ctx, args[0], nil, spec, write.edit, ifUnchanged(is.Etag))
		return c.written(*form, resp, err)
	})
	return cmd
}

// endpointFlags are what may be said of an endpoint without a file.
type endpointFlags struct {
	file    string
	is      v1.EndpointSpec
	tenants []string
}

func (f *endpointFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "all of it, in JSON, or - for stdin")
	flags.StringVar((*string)(&f.is.Protocol), "protocol", "", "tcp, udp or any")
	flags.StringVar(&f.is.Address, "address", "", "the address or prefix it stands on; any of this host's unless said")
	flags.StringSliceVar(&f.is.Ports, "ports", nil, "ports and ranges of them")
	flags.StringSliceVar(&f.tenants, "tenants", nil, "whom it serves; everybody unless said")
	flags.StringVar(&f.is.Resource, "resource", "", "which lists count beside those for *")
	flags.StringVar((*string)(&f.is.Mode), "mode", "", "enforce, monitor or off")
	flags.StringVar(&f.is.Project, "project", "", "the project it belongs to")
	flags.StringVar(&f.is.Service, "service", "", "the service it belongs to")
}

// over is an endpoint with what the flags say of it.
func (f *endpointFlags) over(c *console, cmd *cobra.Command, spec v1.EndpointSpec) (v1.EndpointSpec, error) {
	if f.file != "" {
		data, err := c.read(f.file)
		if err != nil {
			return spec, err
		}
		spec = v1.EndpointSpec{}
		if err := strict(data, &spec); err != nil {
			return spec, fmt.Errorf("%s: %w", f.file, err)
		}
	}
	for flag, set := range map[string]func(){
		"protocol": func() { spec.Protocol = f.is.Protocol },
		"address":  func() { spec.Address = f.is.Address },
		"ports":    func() { spec.Ports = f.is.Ports },
		"tenants":  func() { spec.Tenants = &f.tenants },
		"resource": func() { spec.Resource = f.is.Resource },
		"mode":     func() { spec.Mode = f.is.Mode },
		"project":  func() { spec.Project = f.is.Project },
		"service":  func() { spec.Service = f.is.Service },
	} {
		if cmd.Flags().Changed(flag) {
			set()
		}
	}
	return spec, nil
}

func newEndpointDelete(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete ENDPOINT",
		Short: "Take an endpoint away: nothing is guarded there then",
		Args:  cobra.ExactArgs(1),
	}
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		resp, err := agent.DeleteEndpoint(ctx, args[0], nil, write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}

func newEndpointSecurity(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "security ENDPOINT",
		Short: "Show what an endpoint asks of a request, or replace it",
		Long: strings.TrimSpace(`
Show what an endpoint asks of a request: its own list, passwords, headers, single
sign-on. With -f that is replaced by what the file says, in the same JSON; a user
name without a password keeps the one it has, and a header its value.`),
		Args: cobra.ExactArgs(1),
	}
	file := cmd.Flags().StringP("file", "f", "", "replace it by this file, or - for stdin")
	write, form := writeFlags(cmd), formatFlag(cmd)
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		if *file == "" {
			s, err := answer[json.RawMessage](agent.GetSecurity(ctx, args[0]))
			if err != nil {
				return err
			}
			return c.print(jsonForm, s, nil)
		}
		data, err := c.read(*file)
		if err != nil {
			return err
		}
		resp, err := agent.PutSecurityWithBody(ctx, args[0], nil, "application/json", bytes.NewReader(data), write.edit)
		return c.written(*form, resp, err)
	})
	return cmd
}
