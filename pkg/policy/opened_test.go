package policy

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// guarded is a state in which everything that can restrict does.
func guarded(t *testing.T) *State {
	t.Helper()
	return &State{
		System: map[string]*List{AnyResource: listOf(t, "10.0.0.0/8")},
		Tenants: MapOf(map[string]*Tenant{"a": {
			ID: "a", Lists: map[string]*List{AnyResource: listOf(t, "10.0.0.0/16", "-10.0.0.1")},
			Users: map[string]map[string]*List{"u": {"dataAccess": listOf(t, "10.0.0.7")}},
		}}),
		Endpoints: []*Endpoint{{Name: "e", Resource: AnyResource, Ports: []PortRange{{443, 443}, {8000, 8010}}, Policies: listOf(t, "10.0.0.0/24")}},
	}
}

func TestOpened(t *testing.T) {
	tenant := Place{Scope: ScopeTenant, Tenant: "a", Resource: AnyResource}
	list := func(at Place, l *List) func(*Draft) error {
		return func(d *Draft) error { return d.SetList(at, l) }
	}
	endpoint := func(edit func(*Endpoint)) func(*Draft) error {
		return func(d *Draft) error {
			ep := *d.State().Endpoint("e")
			edit(&ep)
			return d.SetEndpoint("e", &ep)
		}
	}
	tests := []struct {
		name string
		edit func(*Draft) error
		want string
	}{
		{"nothing", func(*Draft) error { return nil }, ""},
		{"removed", list(tenant, nil), "tenants/a/*: it is gone"},
		{"emptied", list(tenant, &List{}), "tenants/a/*: it is empty now"},
		{"off", list(tenant, &List{State: ListOff, Entries: listOf(t, "10.0.0.1").Entries}), "tenants/a/*: it is off now"},
		{"monitored", list(tenant, &List{State: ListMonitor, Entries: listOf(t, "10.0.0.1").Entries}), "tenants/a/*: it is monitor now"},
		{"only-a-deny-left", list(tenant, listOf(t, "-10.0.0.1")), "tenants/a/*: its last allow entry is gone"},
		{"only-a-disabled-allow-left", list(tenant, listOf(t, "!10.0.0.1")), ""},
		{"only-an-expired-allow-left", list(tenant, listOf(t, ".10.0.0.1")), ""},
		{"widened", list(tenant, listOf(t, "0.0.0.0/0")), ""},
		{"a-new-list", list(Place{Scope: ScopeSystem, Resource: "webUI"}, listOf(t, "10.0.0.1")), ""},
		{"a-new-list-of-denials", list(Place{Scope: ScopeSystem, Resource: "webUI"}, listOf(t, "-10.0.0.1")), ""},
		{"tenant-removed", func(d *Draft) error { return d.DropTenant("a") }, "tenants/a/*: it is gone\ntenants/a/users/u/dataAccess: it is gone"},
		{"user-removed", func(d *Draft) error { return d.DropUser("a", "u") }, "tenants/a/users/u/dataAccess: it is gone"},
		{"switched-off", func(d *Draft) error { return d.SetFiltering(true) }, "filtering: it lifts every list but the endpoints' own"},
		{"agent-monitors", func(d *Draft) error { d.state.Mode = Monitor; return nil }, "mode: it is monitor now"},
		{"endpoint-removed", func(d *Draft) error { return d.SetEndpoint("e", nil) }, "endpoints/e: it is gone"},
		{"endpoint-monitors", endpoint(func(ep *Endpoint) { ep.Mode = Monitor }), "endpoints/e: it is monitor now"},
		{"endpoint-without-its-list", endpoint(func(ep *Endpoint) { ep.Policies = nil }), "endpoints/e: it is gone"},
		{"endpoint-with-fewer-ports", endpoint(func(ep *Endpoint) { ep.Ports = []PortRange{{443, 443}, {8000, 8009}} }), "endpoints/e: some of it is not guarded any more"},
		{"endpoint-with-its-ports-split", endpoint(func(ep *Endpoint) { ep.Ports = []PortRange{{8005, 8010}, {443, 443}, {8000, 8004}} }), ""},
		{"endpoint-elsewhere", endpoint(func(ep *Endpoint) { ep.Destination.Prefix = netip.MustParsePrefix("203.0.113.1/32") }), "endpoints/e: some of it is not guarded any more"},
		{"endpoint-everywhere", endpoint(func(ep *Endpoint) { ep.Destination.Everything = true }), ""},
		{"endpoint-of-another-protocol", endpoint(func(ep *Endpoint) { ep.Protocol = UDP }), "endpoints/e: some of it is not guarded any more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := guarded(t)
			d := NewDraft(before)
			if err := tt.edit(d); err != nil {
				t.Fatal(err)
			}
			if got := openings(before, d.State()); got != tt.want {
				t.Errorf("opened %q, want %q", got, tt.want)
			}
			if got := openings(d.State(), d.State()); got != "" {
				t.Errorf("opened %q by no change", got)
			}
		})
	}
}

func openings(before, after *State) string {
	var lines []string
	for _, o := range Opened(before, after) {
		lines = append(lines, o.String())
	}
	return strings.Join(lines, "\n")
}

// TestOpenedUnlisted: where no list means nobody, a list may open too.
func TestOpenedUnlisted(t *testing.T) {
	before := &State{Unlisted: UnlistedClosed, Tenants: MapOf(map[string]*Tenant{"a": {ID: "a"}})}
	d := NewDraft(before)
	if err := d.SetList(Place{Scope: ScopeTenant, Tenant: "a", Resource: AnyResource}, listOf(t, "-10.0.0.1")); err != nil {
		t.Fatal(err)
	}
	const want = "tenants/a/*: it keeps nobody out, and without it nobody came in"
	if got := openings(before, d.State()); got != want {
		t.Errorf("opened %q, want %q", got, want)
	}
}

// TestOpenedIsTold: who is named nowhere comes through no change that opens
// nothing.
func TestOpenedIsTold(t *testing.T) {
	stranger := netip.MustParseAddr("198.51.100.1")
	rapid.Check(t, func(rt *rapid.T) {
		w := world{rt}
		before, host := w.state()
		d := NewDraft(before)
		w.write(d)
		was, is := mustCompile(rt, before, host), mustCompile(rt, d.State(), host)
		if len(Opened(before, d.State())) > 0 {
			return
		}
		for _, q := range w.everyQuery(d.State(), stranger) {
			if !letsBy(was.Decide(q)) && letsBy(is.Decide(q)) {
				rt.Fatalf("%+v came in, and nothing opened", q)
			}
		}
	})
}

func letsBy(v Verdict) bool { return v.Allow || !v.Enforced }

// write makes a few edits of what the store may own.
func (w world) write(d *Draft) {
	for range rapid.IntRange(1, 3).Draw(w.T, "edits") {
		at := Place{Tenant: rapid.SampledFrom([]string{"a", "b"}).Draw(w.T, "of"), User: "u", Resource: rapid.SampledFrom([]string{AnyResource, "dataAccess"}).Draw(w.T, "for")}
		at.Scope = rapid.SampledFrom([]Scope{ScopeSystem, ScopeTenant, ScopeUser}).Draw(w.T, "scope")
		switch rapid.IntRange(0, 8).Draw(w.T, "edit") {
		case 0:
			_ = d.SetFiltering(rapid.Bool().Draw(w.T, "off"))
		case 1:
			_ = d.DropTenant(at.Tenant) // there may be none
		default:
			_ = d.SetList(at, w.list())
		}
	}
}

// everyQuery asks for an address everywhere, endpoints aside.
func (w world) everyQuery(s *State, a netip.Addr) []Query {
	var all []Query
	for id := range s.Tenants.All() {
		for _, resource := range []string{AnyResource, "dataAccess"} {
			all = append(all, Query{Tenant: id, User: "u", Resource: resource, Addr: a}, Query{Tenant: id, Resource: resource, Addr: a})
		}
	}
	return append(all, Query{Resource: "dataAccess", Addr: a}, Query{Addr: a})
}

func mustCompile(t *rapid.T, s *State, host Host) *Table {
	table, err := Compile(s, host, noon)
	if err != nil {
		t.Skip(err)
	}
	return table
}
