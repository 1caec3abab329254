package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
)

const office = "tenants/acme/*"

// TestListChanges makes each change of a list of every sort of entry.
func TestListChanges(t *testing.T) {
	const old = "10.0.0.0/16#office -10.0.6.6#bad !10.0.7.0/24#later .10.0.8.0/24#gone ?2001:db8::/48#visitor"
	off := policy.ListOff
	which := func(text string) Which { return Which{Range: entries(text)[0].Range} }
	at := place(office)
	tests := []struct {
		name   string
		change Change
		want   string
		err    string
	}{
		{name: "replace", change: Replace(at, nil, entries("10.0.0.0/16", "10.3.0.0/16")), want: "10.0.0.0/16 10.3.0.0/16"},
		{name: "replace-and-turn-off", change: Replace(at, &off, entries("10.0.0.0/16")), want: "10.0.0.0/16"},
		{
			name: "shown", change: ReplaceShown(at, entries("10.0.0.1/16", "10.4.0.0-10.4.0.9")),
			want: "10.0.0.1/16#office -10.0.6.6#bad !10.0.7.0/24#later .10.0.8.0/24#gone 10.4.0.0-10.4.0.9",
		},
		{name: "shown-as-it-was", change: ReplaceShown(at, entries("10.0.0.0/16", "2001:db8::/48")), want: old},
		{name: "shown-none", change: ReplaceShown(at, nil), want: "-10.0.6.6#bad !10.0.7.0/24#later .10.0.8.0/24#gone"},
		{name: "clear", change: Clear(at), want: "-10.0.6.6#bad"},
		{name: "add", change: Add(at, entries("10.5.0.0/16#new", "10.0.0.0/16")...), want: old + " 10.5.0.0/16#new"},
		{name: "add-twice", change: Add(at, entries("10.5.0.1", "10.5.0.1/32")...), want: old + " 10.5.0.1"},
		{name: "add-what-is-denied", change: Add(at, entries("10.0.6.6")...), want: old + " 10.0.6.6"},
		{name: "remove", change: Remove(at, which("10.0.0.5/16"), which("10.0.6.6")), want: "!10.0.7.0/24#later .10.0.8.0/24#gone ?2001:db8::/48#visitor"},
		{name: "remove-what-is-not-there", change: Remove(at, which("10.0.0.0/16"), which("10.0.0.9")), err: "tenants/acme/* has no entry 10.0.0.9"},
		{name: "patch", change: Patch(at, which("10.0.7.0/24"), func(e *policy.Entry) { e.Disabled, e.Comment = false, "now" }), want: strings.Replace(old, "!10.0.7.0/24#later", "10.0.7.0/24#now", 1)},
		{name: "patch-what-is-not-there", change: Patch(at, which("10.0.0.9"), func(*policy.Entry) {}), err: "tenants/acme/* has no entry 10.0.0.9"},
		{name: "delete", change: Delete(at), want: "none"},
		{name: "state", change: SetState(at, policy.ListMonitor), want: old},
		{name: "state-of-none", change: SetState(place("tenants/acme/webUI"), policy.ListOff), err: `list "tenants/acme/webUI": there is none`},
		{name: "of-a-file", change: Add(place("tenants/filed/*"), entries("10.0.0.1")...), err: "list tenants/filed/* stands in filed.yaml"},
		{name: "of-a-file-and-missing", change: Remove(place("tenants/filed/*"), which("10.0.0.1")), err: "list tenants/filed/* stands in filed.yaml"},
		{name: "of-no-tenant", change: Add(place("tenants/none/*"), entries("10.0.0.1")...), err: `tenant "none": there is none`},
		{name: "of-no-user", change: Add(place("tenants/acme/users/9/*"), entries("10.0.0.1")...), err: `user "9": there is none`},
		{name: "for-no-resource", change: Add(place("tenants/acme/dataAcess"), entries("10.0.0.1")...), err: `resource "dataAcess" is unknown; did you mean dataAccess?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acme())
			c := root()
			c.Force = true
			w.write(c, Replace(at, nil, entries(strings.Fields(old)...)))
			_, err := w.Write(t.Context(), c, tt.change)
			if text(err) != tt.err {
				t.Fatalf("error = %q, want %q", text(err), tt.err)
			}
			if got := spell(w.listAt(office)); err == nil && got != tt.want {
				t.Errorf("list = %q, want %q", got, tt.want)
			}
			if refused := len(w.log.refused); (refused == 1) != (err != nil) {
				t.Errorf("the journal has %d refusals of %v", refused, err)
			}
		})
	}
}

// TestAuthors: an entry that stays keeps who wrote it, and when.
func TestAuthors(t *testing.T) {
	w := newWorld(t, acme())
	at := place(office)
	first := w.as(access.Key{Name: "first", Role: access.Operator}, "10.0.0.1")
	w.write(first, Add(at, entries("10.0.1.1", "10.0.1.2")...))
	w.at = w.at.Add(time.Minute)
	second := w.as(access.Key{Name: "second", Role: access.Operator}, "10.0.0.1")
	w.write(second, Replace(at, nil, entries("10.0.1.1", "10.0.1.2#x", "10.0.1.3", "10.0.0.0/16", "2001:db8::/48")))
	want := []string{"first 0s 0s", "first 0s 1m0s", "second 1m0s 1m0s"}
	for i, by := range want {
		e := w.listAt(office).Entries[i]
		if got := fmt.Sprintf("%s %s %s", e.By.Author, e.By.Created.Sub(noon), e.By.Modified.Sub(noon)); got != by {
			t.Errorf("%s is by %s, want %s", e.Text, got, by)
		}
	}
}

// TestMatch: what was made against something else is refused with both versions.
func TestMatch(t *testing.T) {
	w := newWorld(t, acme())
	at := place(office)
	tag := w.listAt(office).Tag()
	w.write(root(), Add(at, entries("10.0.1.1")...).If(tag))
	_, err := w.Write(t.Context(), root(), Add(at, entries("10.0.1.2")...).If(tag))
	r, ok := errors.AsType[*Refusal](err)
	if !ok || r.Kind != Changed {
		t.Fatalf("error = %v, want that it changed", err)
	}
	if got := spell(r.Current.List); got != "10.0.0.0/16#office 2001:db8::/48 10.0.1.1" || r.Current.Tag != w.listAt(office).Tag() {
		t.Errorf("current = %q %s", got, r.Current.Tag)
	}
	if got := spell(r.Yours.List); got != "10.0.0.0/16#office 2001:db8::/48 10.0.1.1 10.0.1.2" || r.Yours.Tag == r.Current.Tag {
		t.Errorf("yours = %q %s", got, r.Yours.Tag)
	}
	for _, tt := range []struct {
		name   string
		change Change
		want   Kind
	}{
		{"any", Add(at, entries("10.0.1.3")...).If("*"), ""},
		{"any-of-none", Add(place("tenants/acme/webUI"), entries("10.0.0.1")...).If("*"), Changed},
		{"a-tag-of-none", Add(place("tenants/acme/webUI"), entries("10.0.0.1")...).If(tag), Changed},
		{"none-and-there-is", Replace(at, nil, entries("10.0.0.1")).IfNone(), Changed},
		{"none-and-there-is-none", Replace(place("tenants/acme/dataAccess"), nil, entries("10.0.0.0/8")).IfNone(), ""},
		{"switch", Switch(false).If("off"), Changed},
		{"tenant", EditTenant("acme", func(r *policy.TenantRecord) { r.Name = "A" }).If(TenantTag(w.Table().State.Tenants.Get("acme"))), ""},
		{"tenant-changed", EditTenant("acme", func(r *policy.TenantRecord) { r.Name = "B" }).If("x"), Changed},
		{"user", PutUser("acme", "1", "al").If(UserTag(w.Table().State.Tenants.Get("acme"), "1")), ""},
		{"endpoint", DeleteEndpoint("acme-data").If("x"), Changed},
		{"security", Secure("acme-data", func(*policy.Endpoint, Moment) error { return nil }).If(w.Table().State.Endpoint("acme-data").SecurityTag()), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := w.Write(t.Context(), root(), tt.change); kindOf(err) != tt.want {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestTwoWriters: of writers that saw the same list one wins each time, and all
// that were acknowledged are there.
func TestTwoWriters(t *testing.T) {
	w := newWorld(t, acme())
	at := place(office)
	const writers, writes = 4, 25
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range writes {
				e := entries(fmt.Sprintf("10.0.%d.%d", i, j))
				for {
					_, err := w.Write(context.Background(), root(), Add(at, e...).If(w.listAt(office).Tag()))
					if err == nil {
						break
					}
					if kindOf(err) != Changed {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if n := len(w.listAt(office).Entries); n != 2+writers*writes {
		t.Errorf("%d entries, want %d", n, 2+writers*writes)
	}
}

func TestLimit(t *testing.T) {
	w := newWorld(t, acme())
	w.cfg.MaxEntries = 3
	at := place(office)
	_, err := w.Write(t.Context(), root(), Add(at, entries("10.0.1.1", "10.0.1.2")...))
	if want := "tenants/acme/* would have more than the 3 entries that a list may have"; text(err) != want || kindOf(err) != Full {
		t.Errorf("error = %v (%s), want %q", err, kindOf(err), want)
	}
	w.write(root(), Add(at, entries("10.0.1.1")...))
	w.cfg.MaxEntries = 1
	w.write(root(), Remove(at, Which{Range: entries("10.0.1.1")[0].Range})) // it was larger already
}

// TestAllOrNothing: changes are one revision, or none.
func TestAllOrNothing(t *testing.T) {
	w := newWorld(t, acme())
	good := Add(place(office), entries("10.0.1.1")...)
	if _, err := w.Write(t.Context(), root(), good, Delete(place("tenants/acme/webUI"))); kindOf(err) != NotFound {
		t.Fatalf("error = %v", err)
	}
	if n, _ := w.Revision(); n != 1 {
		t.Fatalf("revision %d after a refusal", n)
	}
	r := w.write(root(), good, Add(place("tenants/globex/*"), entries("10.1.0.1")...))
	if got := strings.Join(r.Names, " "); r.Revision != 2 || got != "tenants/acme/* tenants/globex/*" {
		t.Errorf("revision %d of %q", r.Revision, got)
	}
	if r := w.write(root(), good); r.Revision != 2 || len(r.Names) > 0 {
		t.Errorf("what changes nothing made revision %d of %q", r.Revision, r.Names)
	}
	dry := root()
	dry.DryRun = true
	r = w.write(dry, Add(place(office), entries("10.0.1.2")...))
	if n, _ := w.Revision(); n != 2 || len(r.Diff.Lists) != 1 || !r.DryRun {
		t.Errorf("a dry run made revision %d, difference %+v", n, r.Diff)
	}
}

func TestGuard(t *testing.T) {
	mgmt, own := place("system/managementAPI"), place(office)
	user := place("tenants/acme/users/1/managementAPI")
	operator := func(w *world) *Call { return w.as(access.Key{Role: access.Operator}, "10.0.0.1") }
	tenant := func(w *world) *Call { return w.as(access.Key{Role: access.TenantAdmin, Tenant: "acme"}, "10.0.0.1") }
	only := func(at policy.Place) Change { return Replace(at, nil, entries("10.0.99.0/24")) }
	tests := []struct {
		name   string
		call   func(*world) *Call
		how    func(*Call)
		change Change
		want   string // the refusal
		names  string
		warns  string // of what passed
	}{
		{name: "system-shuts-out", call: operator, change: only(mgmt), want: "10.0.0.1 calls this API now, and could not any more: not-listed in list system/managementAPI", names: "system/managementAPI"},
		{name: "denied-by-system", call: operator, change: Add(mgmt, entries("-10.0.0.1")...), want: "10.0.0.1 calls this API now, and could not any more: deny-entry in list system/managementAPI", names: "system/managementAPI"},
		{name: "system-ends-soon", call: operator, change: Replace(mgmt, nil, entries("?10.0.0.0/8", "10.0.99.0/24")), warns: "locks-out"},
		{name: "tenant-ends-soon", call: tenant, change: Replace(own, nil, entries("?10.0.0.0/16", "10.0.99.0/24")), warns: "locks-out"},
		{name: "ends-soon-for-others", call: operator, change: Replace(mgmt, nil, entries("10.0.0.0/24", "?10.0.99.0/24"))},
		{name: "staff-ends-a-tenants", call: operator, change: Replace(own, nil, entries("?10.0.0.0/16", "10.0.99.0/24"))},
		{name: "on-another-API", call: operator, how: func(c *Call) { c.Resource = "adminAPI" }, change: only(mgmt)},
		{name: "forced", call: operator, how: func(c *Call) { c.Force = true }, change: only(mgmt), warns: "locks-out"},
		{name: "break-glass", call: operator, how: func(c *Call) { c.Exempt = true }, change: only(mgmt)},
		{name: "system-shuts-out-lenient", call: operator, how: func(c *Call) { c.Lenient = true }, change: only(mgmt), want: "10.0.0.1 calls this API now, and could not any more: not-listed in list system/managementAPI", names: "system/managementAPI"},
		{name: "staff-may-shut-a-tenant-out", call: operator, change: only(own)},
		{name: "tenant-shuts-itself-out", call: tenant, change: only(own), want: "10.0.0.1 calls this API now, and could not any more: not-listed in list tenants/acme/*", names: office},
		{name: "tenant-shuts-itself-out-lenient", call: tenant, how: func(c *Call) { c.Lenient = true }, change: only(own), warns: "locks-out"},
		{name: "tenant-forces-it", call: tenant, how: func(c *Call) { c.Force = true }, change: only(own), warns: "locks-out"},
		{name: "tenant-shuts-its-user-out", call: tenant, change: only(user)},
		{name: "was-shut-out-before", call: func(w *world) *Call { return w.as(access.Key{Role: access.Operator}, "192.0.2.1") }, change: Add(mgmt, entries("-10.0.0.1")...)},
		{name: "by-another-list", call: operator, change: Replace(place("system/adminAPI"), nil, entries("10.0.99.0/24"))},
		{name: "opens", call: operator, change: Delete(own), want: "tenants/acme/*: it is gone; what restricted would restrict nothing", names: office},
		{name: "opens-by-its-last-entry", call: operator, change: ReplaceShown(own, nil), want: "tenants/acme/*: it is gone; what restricted would restrict nothing", names: office},
		{name: "opens-as-it-says", call: operator, how: func(c *Call) { c.MayOpen = true }, change: Delete(own), warns: "would-open"},
		{name: "opens-by-force", call: operator, how: func(c *Call) { c.Force = true }, change: Delete(own), warns: "would-open"},
		{name: "opens-all", call: func(*world) *Call { return root() }, change: Switch(true), want: "filtering: it lifts every list but the endpoints' own; what restricted would restrict nothing", names: "filtering"},
		{name: "opens-an-endpoint", call: operator, change: Secure("acme-data", func(ep *policy.Endpoint, _ Moment) error { ep.Policies = nil; return nil }), want: "endpoints/acme-data: it is gone; what restricted would restrict nothing", names: "endpoints/acme-data"},
		{name: "opens-a-tenant", call: operator, change: DeleteTenant("staff"), want: "tenants/staff/*: it is gone; what restricted would restrict nothing", names: "tenants/staff/*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acme())
			c := tt.call(w)
			if tt.how != nil {
				tt.how(c)
			}
			result, err := w.Write(t.Context(), c, tt.change)
			if text(err) != tt.want {
				t.Fatalf("error = %q, want %q", text(err), tt.want)
			}
			if r, ok := errors.AsType[*Refusal](err); ok {
				if names := strings.Join(r.Names, " "); names != tt.names || r.Kind == LocksOut && r.Address != c.From {
					t.Errorf("names %q, address %s", names, r.Address)
				}
				return
			}
			var kinds []string
			for _, warning := range result.Warnings {
				if warning.Kind != "" {
					kinds = append(kinds, string(warning.Kind))
				}
			}
			if got := strings.Join(kinds, " "); got != tt.warns {
				t.Errorf("warnings %q, want %q", got, tt.warns)
			}
			for _, warning := range result.Warnings {
				if soon := strings.Contains(warning.What, "could not any more in an hour: not-listed in list "); warning.Kind == LocksOut && soon != strings.Contains(tt.name, "soon") {
					t.Errorf("warned: %s", warning.What)
				}
			}
			if forced := w.log.changes[0].Forced; forced != (c.Force && tt.warns != "") {
				t.Errorf("the journal has forced: %v", forced)
			}
		})
	}
}

// TestKeysDoNotOutlive: no tenant or user goes before its keys are blocked.
func TestKeysDoNotOutlive(t *testing.T) {
	tests := []struct {
		name   string
		key    access.Key
		change Change
		err    string
	}{
		{name: "tenant", key: access.Key{Role: access.TenantAdmin, Tenant: "globex"}, change: DeleteTenant("globex"), err: "tenants/globex has a key that is not blocked"},
		{name: "tenants-user", key: access.Key{Role: access.User, Tenant: "globex", User: "1"}, change: DeleteTenant("globex"), err: "tenants/globex/users/1 has a key that is not blocked"},
		{name: "user", key: access.Key{Role: access.User, Tenant: "acme", User: "1"}, change: DeleteUser("acme", "1"), err: "tenants/acme/users/1 has a key that is not blocked"},
		{name: "unlisted-user", key: access.Key{Role: access.User, Tenant: "globex", User: "1"}, change: DeleteUser("globex", "1"), err: "tenants/globex/users/1 has a key that is not blocked"},
		{name: "blocked", key: access.Key{Role: access.TenantAdmin, Tenant: "globex", Status: access.Blocked}, change: DeleteTenant("globex")},
		{name: "anothers", key: access.Key{Role: access.TenantAdmin, Tenant: "acme"}, change: DeleteTenant("globex")},
		{name: "tenants-own", key: access.Key{Role: access.TenantAdmin, Tenant: "acme"}, change: DeleteUser("acme", "1")},
		{name: "nobodys", key: access.Key{Role: access.User, Tenant: "globex", User: "9"}, change: DeleteUser("globex", "1")},
		{name: "tenant-that-an-endpoint-names", key: access.Key{Role: access.TenantAdmin, Tenant: "acme"}, change: DeleteTenant("acme")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, acme())
			w.as(tt.key, "10.0.0.1")
			c := root()
			c.Force = true
			_, err := w.Write(t.Context(), c, tt.change)
			if text(err) != tt.err || err != nil && kindOf(err) != Conflict {
				t.Errorf("error = %v (%s), want %q", err, kindOf(err), tt.err)
			}
		})
	}
	w := newWorld(t, acme())
	w.write(root(), EditTenant("new", func(*policy.TenantRecord) {}), Add(place("tenants/new/*"), entries("10.0.0.1")...))
	w.as(access.Key{Role: access.TenantAdmin, Tenant: "new"}, "10.0.0.1")
	w.as(access.Key{Role: access.Reader, Tenant: "new"}, "10.0.0.1")
	force := root()
	force.Force = true
	_, err := w.Rollback(t.Context(), force, 1, Part{})
	if want := "tenants/new has a key that is not blocked, and 1 more"; text(err) != want {
		t.Errorf("rolled back: %v, want %q", err, want)
	}
}

// TestGuardConnections: what the agent found is refused, or warned of.
func TestGuardConnections(t *testing.T) {
	w := newWorld(t, acme())
	w.agent.conns = []policy.Conn{{Local: netip.AddrPortFrom(local.Addr(), 8000), Remote: netip.MustParseAddrPort("10.0.0.1:4000")}}
	change := Replace(place(office), nil, entries("10.0.99.0/24"))
	_, err := w.Write(t.Context(), root(), change)
	r, ok := errors.AsType[*Refusal](err)
	if !ok || r.Kind != LocksOut || r.Address != netip.MustParseAddr("10.0.0.1") || strings.Join(r.Names, " ") != office {
		t.Fatalf("error = %#v", err)
	}
	plan, err := w.Plan(t.Context(), root(), change)
	if err != nil || len(plan.Refusals) != 1 || plan.Refusals[0].Kind != LocksOut {
		t.Errorf("plan = %+v, %v", plan, err)
	}
}

// TestGuardConnectionsOfOthers: from where they come a tenant is not told, nor by
// which list of others they would be cut.
func TestGuardConnectionsOfOthers(t *testing.T) {
	w := newWorld(t, acme())
	c := w.as(access.Key{Role: access.TenantAdmin, Tenant: "acme"}, "10.0.0.1")
	w.agent.conns = []policy.Conn{{Local: netip.AddrPortFrom(local.Addr(), 8000), Remote: netip.MustParseAddrPort("10.0.77.78:4000")}}
	change := Replace(place(office), nil, entries("10.0.0.1"))
	const want = "1 of the connections that there are would be cut by list tenants/acme/*"
	_, err := w.Write(t.Context(), c, change)
	if r, ok := errors.AsType[*Refusal](err); !ok || r.What != want || r.Address.IsValid() || strings.Join(r.Names, " ") != office {
		t.Errorf("error = %#v", err)
	}
	plan, err := w.Plan(t.Context(), c, change)
	if err != nil || len(plan.Refusals) != 1 || plan.Refusals[0].What != want || plan.Warnings[0].What != want {
		t.Errorf("plan = %+v, %v", plan, err)
	}
	r := c.cutting(&policy.LocksOut{Cuts: make([]policy.Cut, 2), List: "tenants/globex/*"})
	if r.What != "2 of the connections that there are would be cut" || r.Names != nil {
		t.Errorf("by another's list: %+v", r)
	}
}

func TestPlan(t *testing.T) {
	w := newWorld(t, acme())
	w.seen["acme-data"] = []netip.Addr{netip.MustParseAddr("10.0.1.1"), netip.MustParseAddr("10.0.2.1"), netip.MustParseAddr("10.7.0.1"), netip.MustParseAddr("192.0.2.1")}
	w.seen["shared"] = w.seen["acme-data"]
	tenant := w.as(access.Key{Role: access.TenantAdmin, Tenant: "acme"}, "10.0.1.1")
	plan, err := w.Plan(t.Context(), tenant, Replace(place(office), nil, entries("10.0.1.0/24", "10.7.0.0/16")))
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := w.Revision(); n != 1 {
		t.Errorf("a plan made revision %d", n)
	}
	if len(plan.Endpoints) != 1 { // "shared" is others' too
		t.Fatalf("endpoints = %+v", plan.Endpoints)
	}
	d := plan.Endpoints[0]
	if got := fmt.Sprintln(d.Endpoint, d.Enforced, d.Seen, d.ShutOut, d.LetIn); got != "acme-data true 4 {1 [10.0.2.1]} {1 [10.7.0.1]}\n" {
		t.Errorf("endpoint = %s", got)
	}
	if got := fmt.Sprint(plan.Diff.Lists[0].Admits.Added); got != "[10.7.0.0/16]" {
		t.Errorf("added = %s", got)
	}
	plan, err = w.Plan(t.Context(), root(), Delete(place(office)))
	if err != nil || len(plan.Refusals) != 1 || plan.Refusals[0].Kind != WouldOpen {
		t.Errorf("plan = %+v, %v", plan, err)
	}
}

// TestIsolation: of what is others', a tenant's key is told nothing.
func TestIsolation(t *testing.T) {
	w := newWorld(t, acme())
	w.write(root(), Add(place("tenants/globex/*"), entries("10.1.0.1#secret")...), Add(place(office), entries("10.0.1.1")...))
	w.write(root(), Add(place(office), entries("10.0.1.2")...))
	w.write(root(), Add(place("system/managementAPI"), entries("10.0.1.2#secret")...))
	c := w.as(access.Key{Role: access.TenantAdmin, Tenant: "acme"}, "10.0.0.1")
	var answers []any
	keep := func(answer any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		answers = append(answers, answer)
	}
	lists, _, err := w.Lists(c, ListQuery{})
	keep(lists, err)
	tenants, _, err := w.Tenants(c, Page{})
	keep(tenants, err)
	keys, _, err := w.Keys(c, access.Query{})
	keep(keys, err)
	history, err := w.History(c, HistoryQuery{})
	keep(history, err)
	for n := uint64(2); n <= 3; n++ {
		commit, err := w.Commit(c, n)
		keep(commit, err)
	}
	diff, err := w.Diff(c, 1, 3, Part{})
	keep(diff.Lists[0].At.String(), err)
	image, err := w.Export(c, "")
	keep(image.Names(), err)
	page, err := w.Audit(t.Context(), c, audit.Query{})
	keep(page, err)
	x, err := w.Explain(c, Question{Query: policy.Query{Tenant: "acme", Resource: "managementAPI", Addr: netip.MustParseAddr("192.0.2.1")}})
	if err != nil || x.Allow || !x.Withheld || x.List != nil || x.Scope != policy.ScopeSystem {
		t.Errorf("explained %+v, %v", x, err)
	}
	if len(diff.Lists) != 1 || len(history) != 2 || len(page.Entries) != 2 || len(lists) != 2 {
		t.Errorf("%d lists differ, %d revisions, %d lines, %d lists; want 1, 2, 2 and 2", len(diff.Lists), len(history), len(page.Entries), len(lists))
	}
	for _, answer := range answers {
		if said := fmt.Sprintf("%+v", answer); strings.Contains(said, "globex") || strings.Contains(said, "secret") || strings.Contains(said, "system/") {
			t.Errorf("a tenant was told %s", said)
		}
	}
}

// Who may delete keys, and no more, disarms nobody who may more.
func TestDeleteKeyThatMayMore(t *testing.T) {
	w := newWorld(t, acme())
	boss := w.as(access.Key{Name: "boss", Role: access.Admin}, "10.0.0.7").Caller.ID
	equal := w.as(access.Key{Name: "equal", Permissions: []string{"keys:delete"}}, "10.0.0.7").Caller.ID
	janitor := w.as(access.Key{Name: "janitor", Permissions: []string{"keys:delete"}}, "10.0.0.7")
	err := w.DeleteKey(janitor, boss)
	if text(err) != "role: admin includes status:read, which you have not" || kindOf(err) != Forbidden {
		t.Errorf("error = %v", err)
	}
	if w.ring.ByID(boss) == nil {
		t.Error("it is gone all the same")
	}
	if err := w.DeleteKey(janitor, equal); err != nil {
		t.Error(err)
	}
}

// Neither by asking for a name nor by confirming does a tenant learn what else a
// revision changed.
func TestHistoryTellsNoNames(t *testing.T) {
	w := newWorld(t, acme())
	pending := root()
	pending.Confirm = time.Minute
	made := w.write(pending, Add(place(office), entries("10.0.1.1")...), Add(place("tenants/globex/*"), entries("10.1.0.1")...))
	c := w.as(access.Key{Name: "office", Role: access.TenantAdmin, Tenant: "acme"}, "10.0.0.1")
	for name, want := range map[string]string{
		"tenants/globex":     "office may not read history of tenants/globex",
		"tenants/globex/*":   "office may not read history of tenants/globex/*",
		"tenants":            "office may not read history of tenants",
		"endpoints/shared":   "office may not read history of endpoints/shared",
		"tenants/acme":       "",
		"tenants/acme/users": "",
	} {
		if _, err := w.History(c, HistoryQuery{Name: name}); text(err) != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	for range 10 { // records are asked in no order
		err := w.Confirm(t.Context(), c, made.Revision)
		r, ok := errors.AsType[*Refusal](err)
		if !ok || r.What != "office may not confirm revision 2: it changed more than is yours" || strings.Join(r.Names, " ") != office {
			t.Fatalf("error = %#v", err)
		}
	}
}

func TestRollback(t *testing.T) {
	w := newWorld(t, acme())
	c := w.as(access.Key{Role: access.TenantAdmin, Tenant: "acme"}, "10.0.0.1")
	was := spell(w.listAt(office))
	w.write(c, Add(place(office), entries("10.0.1.1")...))
	w.write(root(), Add(place("tenants/globex/*"), entries("10.1.0.1")...))
	w.write(root(), EditTenant("acme", func(r *policy.TenantRecord) { r.Hosts = nil }))
	r, err := w.Rollback(t.Context(), c, 1, Part{Tenant: "acme"})
	if kindOf(err) != Forbidden {
		t.Fatalf("a tenant took a host back: %+v, %v", r, err)
	}
	at := place(office)
	if r, err = w.Rollback(t.Context(), c, 1, Part{List: &at}); err != nil {
		t.Fatal(err)
	}
	if got := spell(w.listAt(office)); got != was || r.Revision != 5 || strings.Join(r.Names, " ") != office {
		t.Errorf("revision %d of %q: %q, want %q", r.Revision, r.Names, got, was)
	}
	if got := spell(w.listAt("tenants/globex/*")); got != "10.1.0.0/16 10.1.0.1" {
		t.Errorf("another tenant's list went back: %q", got)
	}
	force := root()
	force.Force = true
	w.write(force, Delete(at))
	w.write(root(), Add(at, entries("10.0.0.0/8")...))
	if _, err = w.Rollback(t.Context(), root(), 6, Part{List: &at}); kindOf(err) != WouldOpen {
		t.Errorf("a rollback opened a list: %v", err)
	}
	if _, err = w.Rollback(t.Context(), root(), 1, Part{}); err != nil || len(w.Table().State.Tenants.Get("acme").Hosts) != 1 {
		t.Errorf("everything back: %v", err)
	}
}

// TestRollbackOfAnEndpointsList: the list goes back with what else the endpoint
// asks, and the endpoint stays where it is.
func TestRollbackOfAnEndpointsList(t *testing.T) {
	w := newWorld(t, acme())
	operator := w.as(access.Key{Role: access.Operator}, "10.0.0.1")
	at := place("endpoints/acme-data")
	was := spell(w.listAt("endpoints/acme-data"))
	w.write(operator, Replace(at, nil, entries("10.0.0.9")))
	force := root()
	force.Force = true
	w.write(force, PutEndpoint(&policy.Endpoint{Name: "acme-data", Resource: "webUI", Tenants: []string{"globex"}, Ports: []policy.PortRange{{First: 9090, Last: 9090}}}))
	if _, err := w.Rollback(t.Context(), operator, 1, Part{List: &at}); err != nil {
		t.Fatal(err)
	}
	ep := w.Table().State.Endpoint("acme-data")
	if got := fmt.Sprint(ep.Ports, ep.Tenants, ep.Resource); spell(ep.Policies) != was || got != "[9090] [globex]webUI" {
		t.Errorf("the list is %q, of an endpoint of %s; want %q, [9090] [globex]webUI", spell(ep.Policies), got, was)
	}
	w.write(force, DeleteEndpoint("acme-data"))
	if _, err := w.Rollback(t.Context(), operator, 1, Part{List: &at}); kindOf(err) != NotFound {
		t.Errorf("the list of an endpoint that is gone: %v", err)
	}
	w.write(force, PutEndpoint(&policy.Endpoint{Name: "acme-data", Resource: "*", Tenants: []string{"acme"}, Ports: []policy.PortRange{{First: 8000, Last: 8000}}}))
	_, err := w.Rollback(t.Context(), operator, 5, Part{List: &at})
	if want := "there was no endpoint acme-data at revision 5"; text(err) != want || kindOf(err) != NotFound {
		t.Errorf("error = %v, want %q", err, want)
	}
}

func TestConfirm(t *testing.T) {
	w := newWorld(t, acme())
	c := root()
	c.Confirm = time.Minute
	r := w.write(c, Add(place(office), entries("10.0.1.1")...))
	if err := w.Confirm(t.Context(), c, r.Revision); kindOf(err) != Conflict {
		t.Errorf("confirmed over the connection it was made on: %v", err)
	}
	c.Since = w.at.Add(time.Second)
	if err := w.Confirm(t.Context(), c, r.Revision); err != nil {
		t.Error(err)
	}
	if err := w.Confirm(t.Context(), c, r.Revision); kindOf(err) != NotFound {
		t.Errorf("confirmed twice: %v", err)
	}
	for _, revision := range []uint64{0, 99} {
		if err := w.Confirm(t.Context(), c, revision); kindOf(err) != NotFound {
			t.Errorf("confirmed revision %d: %v", revision, err)
		}
	}
	c.Confirm = 25 * time.Hour
	if _, err := w.Write(t.Context(), c, Delete(place(office))); kindOf(err) != Invalid {
		t.Errorf("waits for ever: %v", err)
	}
}

// TestJournal: a change is told as its author meant it, a key without its secret,
// a refusal with why.
func TestJournal(t *testing.T) {
	w := newWorld(t, acme())
	c := w.as(access.Key{Name: "ops", Role: access.Admin}, "10.0.0.1")
	c.Reason = "Paris moved"
	w.write(c, Patch(place(office), Which{Range: entries("10.0.0.0/16")[0].Range}, func(e *policy.Entry) { e.Comment = "Paris" }))
	made, secret, err := w.CreateKey(c, access.Key{Name: "made", Role: access.Reader})
	if err != nil {
		t.Fatal(err)
	}
	change := w.log.changes[0]
	got := fmt.Sprintf("%s %s %s %v %v %d %s %s", change.Actor.Name, change.Actor.From, change.Action, change.Objects, change.Tenants, change.Revision, change.Reason, change.Trace)
	const want = "ops 10.0.0.1 list.patch [tenants/acme/*] [acme] 2 Paris moved t2"
	if got != want {
		t.Errorf("the journal has\n%s\nwant\n%s", got, want)
	}
	all, err := json.Marshal(w.log.changes)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := json.Marshal(made.Hash)
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{secret, strings.Trim(string(hash), `"`)} {
		if strings.Contains(string(all), hidden) {
			t.Errorf("the journal has %q: %s", hidden, all)
		}
	}
	if _, err := w.Write(t.Context(), w.as(access.Key{Name: "reader", Role: access.Reader}, "10.0.0.1"), Delete(place(office))); err == nil {
		t.Fatal("a reader wrote")
	}
	refused := w.log.refused[0]
	if got := fmt.Sprint(refused.Actor.Name, refused.Action, refused.Objects, refused.Tenants, refused.Error); got != "readerlist.delete[tenants/acme/*] [acme]reader may not write lists of tenants/acme/*" {
		t.Errorf("refused %s", got)
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t, acme())
	var got []string
	q := ListQuery{Scope: policy.ScopeTenant, Page: Page{Limit: 2}}
	for {
		lists, next, err := w.Lists(root(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lists {
			got = append(got, l.At.String())
		}
		got = append(got, "|")
		if q.After = next; next == "" {
			break
		}
	}
	if want := "tenants/acme/* tenants/filed/* | tenants/globex/* tenants/staff/* |"; strings.Join(got, " ") != want {
		t.Errorf("pages = %q, want %q", strings.Join(got, " "), want)
	}
}
