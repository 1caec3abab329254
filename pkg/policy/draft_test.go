package policy

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drafted is a state of which files own a part.
func drafted() *State {
	file := Pos{File: "a.yaml", Line: 1}
	return &State{
		System: map[string]*List{"webUI": {Owner: "a.yaml", Pos: file}},
		Tenants: MapOf(map[string]*Tenant{
			"filed": {
				ID: "filed", Hosts: []string{"filed.example.com"}, Owner: "a.yaml", Pos: file,
				Lists: map[string]*List{"*": {Owner: "a.yaml", Pos: file}},
				Users: map[string]map[string]*List{"1": {"*": {Owner: "a.yaml", Pos: file}}},
			},
			"gone": {ID: "gone", Pos: file, Lists: map[string]*List{"*": {Owner: "a.yaml", Orphaned: true, Pos: file, Entries: []Entry{{Text: "10.0.0.1", Pos: file}}}}},
			"kept": {ID: "kept", Stored: true, Names: map[string]string{"1": "joe"}, Lists: map[string]*List{"*": {}}},
		}),
		Endpoints: []*Endpoint{
			{Name: "plain", Pos: file, Tenants: []string{"named"}},
			{Name: "policed", Policies: &List{Owner: "a.yaml"}, Pos: file},
			{Name: "own"},
		},
	}
}

func TestDraftRefuses(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Draft) error
		err  string
	}{
		{"system-list-of-a-file", func(d *Draft) error { return d.SetList(Place{Scope: ScopeSystem, Resource: "webUI"}, nil) }, "list system/webUI stands in a.yaml"},
		{"tenant-list-of-a-file", func(d *Draft) error {
			return d.SetList(Place{Scope: ScopeTenant, Tenant: "filed", Resource: "*"}, &List{})
		}, "list tenants/filed/* stands in a.yaml"},
		{"record-of-a-file", func(d *Draft) error { return d.SetRecord("filed", &TenantRecord{}) }, "tenant filed stands in a.yaml"},
		{"tenant-with-a-list-of-a-file", func(d *Draft) error { return d.DropTenant("gone") }, "list tenants/gone/* stands in a.yaml"},
		{"user-with-a-list-of-a-file", func(d *Draft) error { return d.DropUser("filed", "1") }, "list tenants/filed/users/1/* stands in a.yaml"},
		{"no-such-tenant", func(d *Draft) error {
			return d.SetList(Place{Scope: ScopeTenant, Tenant: "nobody", Resource: "*"}, &List{})
		}, `tenant "nobody": there is none`},
		{"no-such-user", func(d *Draft) error {
			return d.SetList(Place{Scope: ScopeUser, Tenant: "kept", User: "2", Resource: "*"}, &List{})
		}, `user "2": there is none`},
		{"an-endpoint's-list", func(d *Draft) error { return d.SetList(Place{Scope: ScopeEndpoint, Endpoint: "own"}, &List{}) }, "list endpoints/own: it is part of the endpoint's security"},
		{"endpoint-of-a-file", func(d *Draft) error { return d.SetEndpoint("plain", nil) }, "endpoint plain stands in a.yaml"},
		{"security-of-a-file", func(d *Draft) error { return d.Secure("policed", nil, VerifyAnd, nil) }, "the security of endpoint policed stands in a.yaml"},
		{"a-list-whose-file-is-there", func(d *Draft) error { return d.Adopt(Place{Scope: ScopeSystem, Resource: "webUI"}) }, "list system/webUI stands in a.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := drafted()
			d := NewDraft(before)
			if err := fmt.Sprint(tt.edit(d)); err != tt.err {
				t.Errorf("error = %q, want %q", err, tt.err)
			}
			if names := d.Before().Names(); len(names) > 0 || !sameStates(before, d.State()) {
				t.Errorf("a refused edit changed %v", names)
			}
		})
	}
}

func TestDraftAllows(t *testing.T) {
	list := &List{Entries: []Entry{{Text: "10.0.0.9"}}}
	tests := []struct {
		name  string
		edit  func(*Draft) error
		names []string
	}{
		{"new-list", func(d *Draft) error { return d.SetList(Place{Scope: ScopeSystem, Resource: "*"}, list) }, []string{"system/*"}},
		{"list-of-a-tenant-a-file-names", func(d *Draft) error {
			return d.SetList(Place{Scope: ScopeTenant, Tenant: "filed", Resource: "webUI"}, list)
		}, []string{"tenants/filed/webUI"}},
		{"list-of-a-tenant-an-endpoint-names", func(d *Draft) error {
			return d.SetList(Place{Scope: ScopeTenant, Tenant: "named", Resource: "*"}, list)
		}, []string{"tenants/named/*"}},
		{"list-of-a-named-user", func(d *Draft) error {
			return d.SetList(Place{Scope: ScopeUser, Tenant: "kept", User: "1", Resource: "*"}, list)
		}, []string{"tenants/kept/users/1/*"}},
		{"the-same-again", func(d *Draft) error {
			return d.SetList(Place{Scope: ScopeTenant, Tenant: "kept", Resource: "*"}, &List{})
		}, []string{}},
		{"there-and-back", func(d *Draft) error {
			return errors.Join(d.SetFiltering(true), d.SetFiltering(false))
		}, []string{}},
		{"security-of-a-file's-endpoint", func(d *Draft) error { return d.Secure("plain", list, VerifyOr, nil) }, []string{"endpoints/plain"}},
		{"an-orphan-taken", func(d *Draft) error { return d.Adopt(Place{Scope: ScopeTenant, Tenant: "gone", Resource: "*"}) }, []string{"tenants/gone/*"}},
		{"tenant-dropped", func(d *Draft) error { return d.DropTenant("kept") }, []string{"tenants/kept", "tenants/kept/*"}},
		{"user-dropped", func(d *Draft) error { return d.DropUser("kept", "1") }, []string{"tenants/kept"}},
		{"switch", func(d *Draft) error { return d.SetFiltering(true) }, []string{"filtering"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := drafted()
			d := NewDraft(before)
			if err := tt.edit(d); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.names, d.Before().Names()); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.names, d.After().Names()); diff != "" {
				t.Errorf("changed, after (-want +got):\n%s", diff)
			}
			if !sameStates(before, drafted()) {
				t.Error("the state it began with was written to")
			}
		})
	}
}

// TestDraftUndone does random edits, then takes them back by their images.
func TestDraftUndone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := drafted()
		s := start
		var undo Image
		for range rapid.IntRange(1, 4).Draw(t, "commits") {
			d := NewDraft(s)
			for range rapid.IntRange(1, 6).Draw(t, "edits") {
				_ = edit(t, d) // a refused edit changes nothing
			}
			undo = undo.Over(d.Before())
			next := *d.State()
			s = &next
		}
		d := NewDraft(s)
		if err := d.Restore(undo); err != nil {
			t.Fatal(err)
		}
		if !sameStates(start, d.State()) {
			t.Fatalf("not what it was:\n%s", cmp.Diff(fmt.Sprint(describe(start)), fmt.Sprint(describe(d.State()))))
		}
	})
}

func edit(t *rapid.T, d *Draft) error {
	one := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(t, what) }
	tenant, user := one("tenant", "filed", "kept", "named", "new"), one("user", "1", "2")
	list := rapid.SampledFrom([]*List{nil, {}, {Entries: []Entry{{Text: "10.0.0.1"}}}}).Draw(t, "list")
	switch one("edit", "system", "tenant", "user", "record", "drop-user", "secure", "endpoint", "switch") {
	case "system":
		return d.SetList(Place{Scope: ScopeSystem, Resource: one("resource", "*", "webUI")}, list)
	case "tenant":
		return d.SetList(Place{Scope: ScopeTenant, Tenant: tenant, Resource: "*"}, list)
	case "user":
		return d.SetList(Place{Scope: ScopeUser, Tenant: tenant, User: user, Resource: "*"}, list)
	case "record":
		return d.SetRecord(tenant, &TenantRecord{Name: one("name", "", "A"), Users: map[string]string{user: ""}})
	case "drop-user":
		return d.DropUser(tenant, user)
	case "secure":
		return d.Secure(one("name", "plain", "own"), list, VerifyOr, &Security{})
	case "endpoint":
		name := one("name", "own", "another")
		return d.SetEndpoint(name, rapid.SampledFrom([]*Endpoint{nil, {Name: name, Resource: "*"}}).Draw(t, "endpoint"))
	}
	return d.SetFiltering(rapid.Bool().Draw(t, "off"))
}

func sameStates(a, b *State) bool { return cmp.Equal(describe(a), describe(b)) }

// describe is a state in words, in one order.
func describe(s *State) map[string]string {
	all := map[string]string{"filtering": fmt.Sprint(s.FilteringOff)}
	for at, l := range s.Lists() {
		all[at.String()] = fmt.Sprint(*l)
	}
	for id, t := range s.Tenants.All() {
		r := *t
		r.Lists, r.Users = nil, nil
		all["tenant "+id] = fmt.Sprint(r)
	}
	for _, ep := range s.Endpoints {
		e := *ep
		e.Policies = nil
		all["endpoint "+ep.Name] = fmt.Sprint(e)
	}
	return all
}

// TestStoredAndBack takes what the store owns out of random states and puts it
// back in, over a state that was ahead of it and one that knew nothing.
func TestStoredAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := NewDraft(drafted())
		for range rapid.IntRange(0, 8).Draw(t, "edits") {
			_ = edit(t, d)
		}
		want := d.State()
		ahead := NewDraft(want)
		for range rapid.IntRange(0, 8).Draw(t, "later edits") {
			_ = edit(t, ahead)
		}
		for _, from := range []*State{drafted().WithStored(Image{}), ahead.State()} {
			if got := from.WithStored(want.Stored()); !sameStates(want, got) {
				t.Fatalf("not what it was:\n%s", cmp.Diff(describe(want), describe(got)))
			}
		}
	})
}
