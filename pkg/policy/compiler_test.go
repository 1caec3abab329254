package policy

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestCompilerKeepsWhatDidNotChange compiles a chain of revisions, good and bad,
// with one Compiler and each of them afresh.
func TestCompilerKeepsWhatDidNotChange(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := world{rt}
		var kept Compiler
		s, host := w.state()
		now := noon
		for range 6 {
			a, err := kept.Compile(s, host, now)
			b, fresh := Compile(s, host, now)
			if !reflect.DeepEqual(err, fresh) {
				rt.Fatalf("error kept %v, fresh %v", err, fresh)
			}
			if err == nil {
				compareTables(rt, a, b)
			} else if a = kept.last; a == nil {
				rt.Skip("not a legal state")
			}
			s, host, now = w.edit(a.State, a.host)
			now = a.Now.Add(now.Sub(noon))
		}
	})
}

func compareTables(t *rapid.T, kept, fresh *Table) {
	if !kept.NextExpiry.Equal(fresh.NextExpiry) {
		t.Errorf("next expiry kept %v, fresh %v", kept.NextExpiry, fresh.NextExpiry)
	}
	comparePlans(t, *kept.Plan, *fresh.Plan)
	if !slices.Equal(kept.all.ids, fresh.all.ids) || kept.monitors() != fresh.monitors() {
		t.Errorf("tenants kept %+v, fresh %+v", kept.all, fresh.all)
	}
	for _, host := range []string{"a.test", "b.test", "x.a.test", "none.test"} {
		x, _ := kept.TenantByHost(host)
		if y, _ := fresh.TenantByHost(host); x != y {
			t.Errorf("host %s kept %q, fresh %q", host, x, y)
		}
	}
	w := world{t}
	for range 20 {
		src := w.addr("src")
		for _, ep := range kept.State.Endpoints {
			if x, y := kept.DecidePacket(ep, src), fresh.DecidePacket(ep, src); x != y {
				t.Errorf("packet of %v at %s: kept %+v, fresh %+v", src, ep.Name, x, y)
			}
			for _, tenant := range []string{"", "a", "b", "c", "d"} {
				q := Query{Endpoint: ep, Tenant: tenant, User: "u", Addr: src}
				if x, y := kept.Decide(q), fresh.Decide(q); x != y {
					t.Errorf("%+v: kept %+v, fresh %+v", q, x, y)
				}
			}
		}
	}
}

// byContent compares sets by what is in them, whatever the order of their parts,
// and endpoints by their pointers.
var byContent = cmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.SortSlices(func(a, b *Set) bool { return fmt.Sprint(a.V4, a.V6) < fmt.Sprint(b.V4, b.V6) }),
	cmp.Comparer(func(a, b *Endpoint) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

func comparePlans(t *rapid.T, kept, fresh Plan) {
	for i := range max(kept.Records.End(), fresh.Records.End()) {
		if x, y := kept.Records.At(i), fresh.Records.At(i); !cmp.Equal(x, y, byContent) {
			t.Errorf("record %d kept %s, fresh %s", i, textOf(x), textOf(y))
		}
	}
	if kept.Records.Shadows() != fresh.Records.Shadows() {
		t.Errorf("shadows kept %d, fresh %d", kept.Records.Shadows(), fresh.Records.Shadows())
	}
	if !cmp.Equal(kept, fresh, byContent, cmpopts.IgnoreFields(Plan{}, "Records")) {
		t.Errorf("plan kept %+v, fresh %+v", kept, fresh)
	}
}

func textOf(r *Record) string {
	if r == nil {
		return "none"
	}
	return fmt.Sprintf("%+v: own %+v, tenant %+v", *r, r.Own, r.Tenant)
}

// edit changes a few things, and copies what holds them. The time it returns is
// noon and what has passed since the state before.
func (w world) edit(s *State, host Host) (*State, Host, time.Time) {
	next, now := *s, noon
	for range rapid.IntRange(0, 3).Draw(w.T, "edits") {
		switch rapid.IntRange(0, 12).Draw(w.T, "edit") {
		case 0:
			now = now.Add(time.Duration(rapid.IntRange(-30, 60).Draw(w.T, "minutes")) * time.Minute)
		case 1:
			next.System = w.lists()
		case 2:
			next.Mode = rapid.SampledFrom([]Mode{Enforce, Monitor}).Draw(w.T, "agent-mode")
		case 3:
			next.Unlisted = rapid.SampledFrom([]Unlisted{Inherit, UnlistedClosed}).Draw(w.T, "agent-unlisted")
		case 4:
			next.FilteringOff = !next.FilteringOff
		case 5:
			next.Unmap = !next.Unmap
		case 6:
			next.Endpoints = w.editEndpoints(next.Endpoints)
		case 7:
			next.Resources = rapid.SampledFrom([][]string{nil, {"more"}, {"webUI"}}).Draw(w.T, "resources")
		case 8:
			next.Failsafe = []Failsafe{{Ports: []PortRange{{22, 22}}, From: []netip.Prefix{w.prefix("failsafe-from")}}}
		case 9:
			a := w.addr("local")
			host = Host{Local: []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}, Broadcast: host.Broadcast}
		default:
			next.Tenants = w.editTenants(next.Tenants)
		}
	}
	return &next, host, now
}

func (w world) editEndpoints(eps []*Endpoint) []*Endpoint {
	eps = slices.Clone(eps)
	i := rapid.IntRange(0, len(eps)).Draw(w.T, "which")
	switch {
	case i == len(eps):
		return append(eps, w.endpoint(i))
	case rapid.Bool().Draw(w.T, "remove"):
		return slices.Delete(eps, i, i+1)
	}
	eps[i] = w.endpoint(i)
	return eps
}

func (w world) editTenants(all Map[Tenant]) Map[Tenant] {
	id := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(w.T, "tenant")
	old := all.Get(id)
	if old != nil && rapid.IntRange(0, 3).Draw(w.T, "forget") == 0 {
		return all.With(id, nil)
	}
	edited := Tenant{ID: id}
	if old != nil {
		edited = *old
	}
	switch rapid.IntRange(0, 3).Draw(w.T, "of-tenant") {
	case 0:
		edited.Hosts = rapid.SampledFrom([][]string{nil, {id + ".test"}, {"a.test"}, {"*.a.test"}}).Draw(w.T, "hosts")
	case 1:
		edited.Users = map[string]map[string]*List{"u": w.lists()}
	default:
		edited.Lists = w.lists()
		if old != nil && old.Lists[AnyResource] != nil {
			edited.Lists[AnyResource] = old.Lists[AnyResource]
		}
		if rapid.IntRange(0, 9).Draw(w.T, "mistake") == 0 {
			edited.Lists["more"] = &List{}
		}
	}
	return all.With(id, &edited)
}
