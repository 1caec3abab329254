package policy

import (
	"fmt"
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
			if got := openings(t, before, d.State()); got != tt.want {
				t.Errorf("opened %q, want %q", got, tt.want)
			}
			if got := openings(t, d.State(), d.State()); got != "" {
				t.Errorf("opened %q by no change", got)
			}
		})
	}
}

func openings(t *testing.T, before, after *State) string {
	t.Helper()
	host := Host{Local: []netip.Prefix{netip.MustParsePrefix("192.0.2.10/32")}}
	var tables [2]*Table
	for i, s := range []*State{before, after} {
		var err error
		if tables[i], err = Compile(s, host, noon); err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	for _, o := range Opened(tables[0], tables[1]) {
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
	if got := openings(t, before, d.State()); got != want {
		t.Errorf("opened %q, want %q", got, want)
	}
}

// TestOpenedByFiltering: the switch lifts "no list means nobody" too.
func TestOpenedByFiltering(t *testing.T) {
	before := &State{Unlisted: UnlistedClosed, Tenants: MapOf(map[string]*Tenant{"a": {ID: "a"}})}
	after := *before
	after.FilteringOff = true
	const want = "filtering: it lifts every list but the endpoints' own"
	if got := openings(t, before, &after); got != want {
		t.Errorf("opened %q, want %q", got, want)
	}
}

// TestOpenedByTheLastToGo: where "no list" means nobody, who has no tenants and
// only denies is open.
func TestOpenedByTheLastToGo(t *testing.T) {
	before := &State{
		Unlisted: UnlistedClosed, Tenants: MapOf(map[string]*Tenant{"a": {ID: "a", Stored: true}}),
		Endpoints: []*Endpoint{{Name: "web", Resource: AnyResource, AllTenants: true, Ports: []PortRange{{443, 443}}, Policies: listOf(t, "-10.0.0.1")}},
	}
	d := NewDraft(before)
	if err := d.DropTenant("a"); err != nil {
		t.Fatal(err)
	}
	const want = "endpoints/web: it has no tenants and no list of its own"
	if got := openings(t, before, d.State()); got != want {
		t.Errorf("opened %q, want %q", got, want)
	}
}

// TestOpenedByWhoComes: a tenant without a list opens what all tenants share, and
// an open endpoint what it stands before.
func TestOpenedByWhoComes(t *testing.T) {
	const here, there = "192.0.2.10/32", "198.51.100.0/24"
	list := listOf(t, "10.0.0.0/8")
	endpoint := func(name, at string, port uint16, edit func(*Endpoint)) *Endpoint {
		ep := &Endpoint{Name: name, Resource: AnyResource, Ports: []PortRange{{port, port}}}
		if at != "" {
			ep.Destination.Prefix = netip.MustParsePrefix(at)
		}
		if edit != nil {
			edit(ep)
		}
		return ep
	}
	before := &State{
		Tenants: MapOf(map[string]*Tenant{"a": {ID: "a", Stored: true, Lists: map[string]*List{AnyResource: list}}}),
		Endpoints: []*Endpoint{
			endpoint("web", "", 443, func(ep *Endpoint) { ep.AllTenants = true }),
			endpoint("own", "", 8000, func(ep *Endpoint) { ep.AllTenants, ep.Policies = true, list }),
			endpoint("closed", "", 8001, func(ep *Endpoint) { ep.AllTenants, ep.Unlisted = true, UnlistedClosed }),
			endpoint("open", here, 444, nil),
			endpoint("far", "198.51.100.7/32", 8080, func(ep *Endpoint) { ep.Policies = list }),
			endpoint("near", there, 8080, nil),
			endpoint("host", "", 444, func(ep *Endpoint) { ep.Tenants = []string{"a"} }),
		},
	}
	put := func(ep *Endpoint) func(*Draft) error {
		return func(d *Draft) error { return d.SetEndpoint(ep.Name, ep) }
	}
	record := func(d *Draft) error { return d.SetRecord("new", &TenantRecord{}) }
	all := func(ep *Endpoint) { ep.Protocol, ep.Ports = AnyProtocol, nil }
	tests := []struct {
		name string
		edit []func(*Draft) error
		want string
	}{
		{"tenant-without-a-list", []func(*Draft) error{record}, "endpoints/web: tenant new has no list"},
		{"tenant-with-its-list", []func(*Draft) error{record, func(d *Draft) error {
			return d.SetList(Place{Scope: ScopeTenant, Tenant: "new", Resource: AnyResource}, list)
		}}, ""},
		{"tenant-with-anothers-list", []func(*Draft) error{record, func(d *Draft) error {
			return d.SetList(Place{Scope: ScopeTenant, Tenant: "new", Resource: "webUI"}, list)
		}}, "endpoints/web: tenant new has no list"},
		{"endpoint-of-a-new-tenant", []func(*Draft) error{put(endpoint("x", "", 445, func(ep *Endpoint) { ep.Tenants = []string{"ghost", "a"} }))}, "endpoints/web: tenant ghost has no list"},
		{"tenant-and-its-endpoint-of-all", []func(*Draft) error{record, put(endpoint("x", "", 445, func(ep *Endpoint) { ep.AllTenants = true }))}, "endpoints/web: tenant new has no list"},
		{"endpoint-of-a-known-tenant", []func(*Draft) error{put(endpoint("x", "", 445, func(ep *Endpoint) { ep.Tenants = []string{"a"} }))}, ""},
		{"before-another", []func(*Draft) error{put(endpoint("x", here, 443, nil))}, "endpoints/x: it stands before endpoint web, and it has no tenants and no list of its own"},
		{"before-another-and-lets-all", []func(*Draft) error{put(endpoint("x", here, 443, func(ep *Endpoint) { ep.Policies, ep.Mode = list, Monitor }))}, "endpoints/x: it stands before endpoint web, and it is monitor"},
		{"before-another-with-a-list", []func(*Draft) error{put(endpoint("x", here, 443, func(ep *Endpoint) { ep.Policies = list }))}, ""},
		{"at-another-address", []func(*Draft) error{put(endpoint("x", there, 443, nil))}, ""},
		{"at-another-port", []func(*Draft) error{put(endpoint("x", here, 442, nil))}, ""},
		{"of-another-protocol", []func(*Draft) error{put(endpoint("x", here, 443, func(ep *Endpoint) { ep.Protocol = UDP }))}, ""},
		{"behind-another", []func(*Draft) error{put(endpoint("x", "", 0, func(ep *Endpoint) { ep.Ports = []PortRange{AllPorts} }))}, ""},
		{"of-everything", []func(*Draft) error{put(endpoint("x", "", 443, func(ep *Endpoint) { ep.Destination.Everything = true }))}, ""},
		{"of-any-protocol", []func(*Draft) error{put(endpoint("x", here, 0, all))}, "endpoints/x: it stands before endpoint web, and it has no tenants and no list of its own"},
		{"stood-before-another", []func(*Draft) error{put(endpoint("open", here, 444, func(ep *Endpoint) { ep.Project = "shop" }))}, ""},
		{"moves-behind-another", []func(*Draft) error{put(endpoint("far", "", 8080, func(ep *Endpoint) {
			ep.Destination.Everything, ep.Policies, ep.Ports = true, list, []PortRange{{1, 9000}}
		}))}, "endpoints/far: some of it is left to endpoint near: it has no tenants and no list of its own"},
		{"moves-before-another", []func(*Draft) error{put(endpoint("open", here, 443, nil))}, "endpoints/open: it stands before endpoint web, and it has no tenants and no list of its own"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := NewDraft(before)
			for _, edit := range tt.edit {
				if err := edit(d); err != nil {
					t.Fatal(err)
				}
			}
			if got := openings(t, before, d.State()); got != tt.want {
				t.Errorf("opened %q, want %q", got, tt.want)
			}
		})
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
		if len(Opened(was, is)) > 0 {
			return
		}
		for _, q := range w.everyQuery(d.State(), stranger) {
			if !letsBy(was.Decide(q)) && letsBy(is.Decide(q)) {
				rt.Fatalf("%+v came in, and nothing opened", q)
			}
		}
	})
}

// TestOpenedEndpointsAreTold: a stranger's packet that was dropped is, after a
// change that opens nothing.
func TestOpenedEndpointsAreTold(t *testing.T) {
	stranger := netip.MustParseAddr("198.51.100.1")
	rapid.Check(t, func(rt *rapid.T) {
		w := world{rt}
		before, host := w.state()
		before.FilteringOff = false
		for _, ep := range before.Endpoints {
			plain(ep)
		}
		d := NewDraft(before)
		w.writeEndpoints(d)
		for _, s := range []*State{before, d.State()} {
			for _, l := range s.Lists() {
				if l.State == ListMonitor { // lifts a restriction that Open goes by
					l.State = ListOn
				}
			}
		}
		was, is := mustCompile(rt, before, host), mustCompile(rt, d.State(), host)
		if len(Opened(was, is)) > 0 {
			return
		}
		for range 50 {
			proto := rapid.SampledFrom([]Protocol{TCP, UDP, AnyProtocol}).Draw(rt, "to-protocol")
			port := rapid.SampledFrom([]uint16{443, 8005, 8001, 500, 0}).Draw(rt, "to-port")
			dst := w.addr("to")
			if len(host.Local) > 0 && rapid.Bool().Draw(rt, "to-this-host") {
				dst = host.Local[0].Addr()
			}
			if was.drops(proto, dst, port, stranger) && !is.drops(proto, dst, port, stranger) {
				rt.Fatalf("%s port %d of %s let a stranger in, and nothing opened", proto, port, dst)
			}
		}
	})
}

func (t *Table) drops(proto Protocol, dst netip.Addr, port uint16, src netip.Addr) bool {
	ep := t.Match(proto, dst, port)
	return ep != nil && !letsBy(t.DecidePacket(ep, src))
}

// plain leaves an endpoint that packets alone are judged for.
func plain(ep *Endpoint) *Endpoint {
	ep.Client, ep.Refuse, ep.HTTP, ep.Verify = Client{}, RefuseDefault, nil, VerifyAnd
	return ep
}

// writeEndpoints makes a few edits of endpoints, tenants and lists.
func (w world) writeEndpoints(d *Draft) {
	for range rapid.IntRange(1, 3).Draw(w.T, "edits") {
		switch rapid.IntRange(0, 4).Draw(w.T, "edit") {
		case 0:
			_ = d.SetRecord(rapid.SampledFrom([]string{"a", "b", "d", "new"}).Draw(w.T, "record"), &TenantRecord{})
		case 1:
			w.write(d)
		case 2:
			_ = d.SetEndpoint(fmt.Sprintf("e%d", rapid.IntRange(0, 5).Draw(w.T, "gone")), nil)
		default:
			ep := plain(w.endpoint(rapid.IntRange(0, 5).Draw(w.T, "which")))
			_ = d.SetEndpoint(ep.Name, ep)
		}
	}
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
