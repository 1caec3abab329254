package api

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// entry is text on line 7 of a file.
func entry(t *testing.T, text string) policy.Entry {
	t.Helper()
	r, err := addr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Entry{Text: text, Range: r, Pos: policy.Pos{File: "acme.yaml", Line: 7}}
}

func list(entries ...policy.Entry) *policy.List {
	return &policy.List{Entries: entries, Owner: "acme.yaml", Pos: policy.Pos{File: "acme.yaml", Line: 3}}
}

// table has a dedicated endpoint, a proxied one and one without a gate that two
// tenants share.
func table(t *testing.T) *policy.Table {
	t.Helper()
	denied, over, off := entry(t, "203.0.113.9"), entry(t, "192.0.2.1"), entry(t, "192.0.2.2")
	denied.Action = policy.Deny
	over.Expires = now.Add(-time.Hour)
	off.Disabled = true
	s := &policy.State{
		System: map[string]*policy.List{"managementAPI": list(entry(t, "10.0.0.0/8"))},
		Tenants: policy.MapOf(map[string]*policy.Tenant{
			"acme": {
				ID:    "acme",
				Lists: map[string]*policy.List{"*": list(entry(t, "203.0.113.0/24"), denied, over, off)},
				Users: map[string]map[string]*policy.List{"1": {"webUI": list(entry(t, "203.0.113.1"))}},
			},
			"globex": {ID: "globex", Lists: map[string]*policy.List{"*": list(entry(t, "198.51.100.0/24"))}},
		}),
		Endpoints: []*policy.Endpoint{
			{
				Name: "dedicated", Ports: []policy.PortRange{{First: 443, Last: 443}}, Tenants: []string{"acme"}, Resource: "*",
				Policies: list(entry(t, "203.0.113.0-203.0.113.99")),
			},
			{
				Name: "portal", Ports: []policy.PortRange{{First: 8080, Last: 8080}}, AllTenants: true, Resource: "webUI",
				Client: policy.Client{
					Source:  policy.XForwardedFor,
					Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
				},
				HTTP: &policy.HTTP{Listen: ":8080", Upstream: "http://127.0.0.1:3000"},
			},
			{
				Name: "shared", Ports: []policy.PortRange{{First: 9000, Last: 9000}}, Tenants: []string{"acme", "globex"}, Resource: "*",
			},
			{
				Name: "trial", Ports: []policy.PortRange{{First: 9001, Last: 9001}}, Tenants: []string{"acme"}, Resource: "*",
				Mode: policy.Monitor,
			},
		},
	}
	tab, err := policy.Compile(s, policy.Host{}, now)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// agent is one that stands still.
type agent struct{ dropped string }

func (a *agent) Traffic() (map[string]Traffic, error) {
	return map[string]Traffic{"shared": {Drop: Volume{Packets: 3, Bytes: 180}}}, nil
}

func (a *agent) DropLists(_ context.Context, owner string, _ Order) ([]string, error) {
	if owner != "gone.yaml" {
		return nil, errors.New("it has none in force")
	}
	a.dropped = owner
	return []string{"tenants/acme/*"}, nil
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
