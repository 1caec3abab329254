package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/ingress"
	"github.com/postern-io/postern/pkg/policy"
)

// manifestFlags say whose the hosts of manifests are, and which list is meant.
type manifestFlags struct {
	tenant, resource string
	hosts            map[string]string // tenants by host
}

func (m *manifestFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&m.tenant, "tenant", "", "with --ingress-nginx: every host is this tenant's")
	flags.StringVar(&m.resource, "resource", policy.AnyResource, "with --ingress-nginx: which of a tenant's lists they go into")
	flags.StringToStringVar(&m.hosts, "host", nil, "with --ingress-nginx: HOST=TENANT, once for each")
}

func (c *console) importManifests(ctx context.Context, agent *v1.Client, m *manifestFlags, in *intake, ch *change, files []string) error {
	rules, problems, err := c.manifests(files)
	if err != nil {
		return err
	}
	taken := &intakes{manifestFlags: m, tenants: func(host string) ([]v1.Tenant, error) { return tenants(ctx, agent, host) }}
	for _, r := range rules {
		if err := taken.take(r); err != nil {
			return err
		}
	}
	problems = append(problems, taken.problems...)
	problems.Sort()
	for _, p := range problems {
		fmt.Fprintln(c.err, p)
	}
	switch {
	case problems.Err() != nil && !in.skipBad:
		return errors.New("import: nothing was imported; leave out what could not be taken with --skip-bad")
	case len(taken.lists) == 0:
		return errors.New("import: no ingress restricts who may come")
	}
	for _, of := range taken.lists {
		fmt.Fprintf(c.err, "%s: %d from ingress %s\n", of.list, len(of.entries), of.from)
	}
	ch.send = func(edit v1.RequestEditorFn) (*http.Response, error) {
		return agent.Apply(ctx, nil, v1.Proposal{Changes: taken.changes(in.replace)}, edit)
	}
	return c.make(ctx, ch)
}

func (c *console) manifests(files []string) ([]ingress.Rule, policy.Problems, error) {
	var rules []ingress.Rule
	var problems policy.Problems
	for _, name := range files {
		data, err := c.read(name)
		if err != nil {
			return nil, nil, err
		}
		some, found := ingress.Read(name, data)
		rules, problems = append(rules, some...), append(problems, found...)
	}
	return rules, problems, nil
}

// intakes collects what goes into which list.
type intakes struct {
	*manifestFlags
	tenants  func(host string) ([]v1.Tenant, error) // those a host may be of
	lists    []listIntake
	problems policy.Problems
}

type listIntake struct {
	list, from string // from which ingress
	entries    []v1.EntrySpec
}

// take takes what one ingress says, for each tenant its hosts are of.
func (t *intakes) take(r ingress.Rule) error {
	if len(r.Allow)+len(r.Deny) == 0 {
		t.problem(r, true, "it restricts nobody, so nothing is taken from it", "")
		return nil
	}
	entries := append(entriesOf(r.Allow, v1.EntrySpec{Comment: r.Name}),
		entriesOf(r.Deny, v1.EntrySpec{Comment: r.Name, Action: v1.ActionDeny})...)
	hosts := r.Hosts
	if len(hosts) == 0 {
		hosts = []string{""}
	}
	for _, host := range hosts {
		tenant, err := t.tenantOf(host)
		if err != nil {
			return err
		}
		if tenant == "" {
			t.problem(r, false, unknownHost(host), "say --host HOST=TENANT or --tenant")
			continue
		}
		t.add(r, "tenants/"+tenant+"/"+t.resource, entries)
	}
	return nil
}

func unknownHost(host string) string {
	if host == "" {
		return "it names no host, and so no tenant"
	}
	return fmt.Sprintf("no tenant is known by the host %s", host)
}

// tenantOf is whose a host is; "" where nobody knows.
func (t *intakes) tenantOf(host string) (string, error) {
	if id := cmp.Or(t.hosts[host], t.tenant); id != "" || host == "" {
		return id, nil
	}
	candidates, err := t.tenants(host)
	if err != nil {
		return "", err
	}
	for _, of := range candidates {
		if slices.ContainsFunc(of.Hosts, func(h string) bool { return strings.EqualFold(h, host) }) {
			return of.ID, nil
		}
	}
	return "", nil
}

// add gives a list its entries. Two ingresses that say different things for one
// are not joined: what comes to one path would come to the other as well.
func (t *intakes) add(r ingress.Rule, list string, entries []v1.EntrySpec) {
	for _, of := range t.lists {
		if of.list != list {
			continue
		}
		if of.from != r.Name && !sameEntries(of.entries, entries) {
			t.problem(r, false, fmt.Sprintf("it lets others in than %s, and both are for %s", of.from, list),
				"give them different tenants, or import one of them")
		}
		return
	}
	t.lists = append(t.lists, listIntake{list, r.Name, entries})
}

func sameEntries(a, b []v1.EntrySpec) bool {
	return slices.EqualFunc(a, b, func(x, y v1.EntrySpec) bool { return x.Address == y.Address && x.Action == y.Action })
}

func (t *intakes) problem(r ingress.Rule, warning bool, what, remedy string) {
	t.problems = append(t.problems, policy.Problem{Pos: r.Pos, Warning: warning, What: "ingress " + r.Name + ": " + what, Remedy: remedy})
}

func (t *intakes) changes(replace bool) []v1.Change {
	op := v1.ChangeOpAdd
	if replace {
		op = v1.ChangeOpReplace
	}
	changes := make([]v1.Change, len(t.lists))
	for i, of := range t.lists {
		changes[i] = v1.Change{List: of.list, Op: op, Entries: of.entries}
	}
	return changes
}
