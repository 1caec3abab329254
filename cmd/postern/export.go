package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
)

func newExport(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export [LIST]",
		Short: "Write all lists, a tenant's or one as list files hold them",
		Long: strings.TrimSpace(`
Write all lists, a tenant's or one as list files hold them: YAML to be put into a
list directory or sent to apply, JSON for programs, HCL.`),
		Args: cobra.MaximumNArgs(1),
	}
	form := v1.ExportFormatYaml
	flags := cmd.Flags()
	flags.StringVarP((*string)(&form), "output", "o", string(form), "yaml, json or hcl")
	complete(cmd, "output", "yaml", "json", "hcl")
	tenant := flags.String("tenant", "", "only this tenant")
	c.asking(cmd, func(ctx context.Context, agent *v1.Client, args []string) error {
		if !form.Valid() {
			return misused("output %q: want yaml, json or hcl", form)
		}
		if len(args) > 0 && *tenant != "" {
			return misused("export: want a LIST or --tenant, not both")
		}
		resp, err := accepted(export(ctx, agent, args, query("format", string(form), "tenant", *tenant)))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(c.out, resp.Body); err != nil {
			return fmt.Errorf("read the export: %w", err)
		}
		return nil
	})
	return cmd
}

// export asks for one list, or for what there is.
func export(ctx context.Context, agent *v1.Client, list []string, edit v1.RequestEditorFn) (*http.Response, error) {
	if len(list) > 0 {
		return agent.ExportList(ctx, list[0], nil, edit)
	}
	return agent.ExportState(ctx, nil, edit)
}
