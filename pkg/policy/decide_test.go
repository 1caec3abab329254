package policy

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// passes is the sentence of the law about one list, word for word.
func passes(l *List, a netip.Addr) bool {
	if l == nil || l.State == ListOff {
		return true
	}
	allows, inAllow, inDeny := false, false, false
	for i := range l.Entries {
		e := &l.Entries[i]
		live := !e.Disabled && (e.Expires.IsZero() || e.Expires.After(noon))
		holds := live && e.Range.Contains(a)
		allows = allows || e.Action == Allow
		inAllow = inAllow || holds && e.Action == Allow
		inDeny = inDeny || holds && e.Action == Deny
	}
	return !inDeny && (!allows || inAllow)
}

// TestDecideIsTheLaw compares Decide with the law said again entry by entry,
// where user, tenant and system each have "*" and a resource.
func TestDecideIsTheLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := world{rt}
		s, host := w.state()
		s.FilteringOff, s.Unlisted = false, Inherit
		s.Tenants = s.Tenants.With("a", &Tenant{ID: "a", Lists: w.lists(), Users: map[string]map[string]*List{"u": w.lists()}})
		s.Endpoints = nil
		table, err := Compile(s, host, noon)
		if err != nil {
			rt.Fatal(err)
		}
		for range 20 {
			q := Query{
				Tenant: "a", User: rapid.SampledFrom([]string{"", "u", "nobody"}).Draw(rt, "user"),
				Resource: rapid.SampledFrom([]string{AnyResource, "dataAccess", "webUI"}).Draw(rt, "resource"),
				Addr:     w.addr("addr"),
			}
			checkVerdict(rt, s, q, table.Decide(q))
		}
	})
}

func checkVerdict(t *rapid.T, s *State, q Query, v Verdict) {
	scopes := []map[string]*List{s.System, s.Tenants.Get("a").Lists, s.Tenants.Get("a").Users[q.User]}
	var first, firstOn *List
	for _, lists := range scopes {
		for _, resource := range slices.Compact([]string{AnyResource, q.Resource}) {
			l := lists[resource]
			if passes(l, q.Addr) {
				continue
			}
			if first == nil {
				first = l
			}
			if firstOn == nil && l.State == ListOn {
				firstOn = l
			}
		}
	}
	if v.Allow != (first == nil) {
		t.Fatalf("Decide(%+v) = %+v, want allow = %v", q, v, first == nil)
	}
	if v.Enforced != (first == nil || firstOn != nil) {
		t.Errorf("Decide(%+v) enforced = %v", q, v.Enforced)
	}
	if want := firstOn; !v.Allow {
		if want == nil {
			want = first
		}
		if v.List != want {
			t.Errorf("Decide(%+v) blames %+v, want the first that refuses, %+v", q, v, want)
		}
	}
	if v.Entry != nil && !v.Entry.Range.Contains(q.Addr) {
		t.Errorf("Decide(%+v) names an entry that does not hold the address: %+v", q, v.Entry)
	}
	if v.Entry != nil && (v.Entry.Action == Allow) != v.Allow {
		t.Errorf("Decide(%+v) = %v by an entry that says %v", q, v.Allow, v.Entry.Action)
	}
}
