package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

var (
	noon      = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	sameValue = cmp.Options{
		cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmp.Transformer("tenants", func(m policy.Map[policy.Tenant]) map[string]*policy.Tenant { return maps.Collect(m.All()) }),
		cmp.Comparer(func(a, b addr.Range) bool { return a == b }),
	}
)

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func parse(t testing.TB, text string) addr.Range {
	t.Helper()
	r, err := addr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func open(t testing.TB, dir string) *Snapshot {
	t.Helper()
	db, err := OpenSnapshot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// revision has every kind of list and, in one of its entries, every field.
func revision(t testing.TB) *policy.Revision {
	file := "lists.d/acme.yaml"
	by := &policy.Stamp{Author: "ann", Created: noon, Modified: noon.Add(time.Hour)}
	full := &policy.List{
		State:    policy.ListMonitor,
		Owner:    file,
		Orphaned: true,
		Pos:      policy.Pos{File: file, Line: 3},
		Entries: []policy.Entry{
			{Text: "192.176.1.1/24", Range: parse(t, "192.176.1.1/24"), Pos: policy.Pos{File: file, Line: 4}},
			{
				Text:     "2001:db8::1 - 2001:db8::ff",
				Range:    parse(t, "2001:db8::1-2001:db8::ff"),
				Action:   policy.Deny,
				Disabled: true,
				Comment:  "Pâris",
				Expires:  noon.Add(time.Nanosecond).In(time.FixedZone("", 3600)),
				By:       by,
				Pos:      policy.Pos{File: "elsewhere.yaml", Line: 5},
			},
			{Text: "vpce-0a"},
			{Text: "vpce-0b", By: by},
		},
	}
	one := &policy.List{Entries: []policy.Entry{{Text: "10.0.0.1", Range: parse(t, "10.0.0.1")}}}
	return &policy.Revision{
		Number: 7,
		Since:  noon,
		State: &policy.State{
			Mode:     policy.Monitor,
			Unmap:    true,
			Failsafe: []policy.Failsafe{{Ports: []policy.PortRange{{First: 22, Last: 22}}, From: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}},
			System:   map[string]*policy.List{"*": one},
			Tenants: policy.MapOf(map[string]*policy.Tenant{
				"acme": {
					ID:         "acme",
					Name:       "Acme <Ltd>",
					Hosts:      []string{"acme.example.com"},
					StaffOnly:  true,
					Attributes: json.RawMessage(`{"b": 1.0, "a": "<&>"}`),
					Names:      map[string]string{"1": "", "2": "Bob"},
					Stored:     true,
					Lists:      map[string]*policy.List{"*": full, "webUI": {Owner: file}},
					Users:      map[string]map[string]*policy.List{"1": {"dataAccess": one}, "3": {}},
					Pos:        policy.Pos{File: file, Line: 1},
				},
				"none": {Owner: file, ID: "none", Lists: map[string]*policy.List{}, Users: map[string]map[string]*policy.List{}},
			}),
			Endpoints: []*policy.Endpoint{{
				Name:        "data",
				Destination: policy.Destination{Prefix: netip.MustParsePrefix("203.0.113.10/32")},
				Ports:       []policy.PortRange{{First: 443, Last: 443}},
				Tenants:     []string{"acme"},
				Resource:    "dataAccess",
				Policies:    full,
				HTTP:        &policy.HTTP{Listen: ":8080"},
			}},
		},
		Settings: []byte(`{"interfaces":["eth0"]}`),
		Store:    "ABC",
	}
}

func TestSaveAndOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	db := open(t, dir)
	if db.Revision() != nil || !db.Latest().IsZero() {
		t.Fatalf("new store: revision %v, latest %v, want neither", db.Revision(), db.Latest())
	}
	want := revision(t)
	if err := db.Save(want, noon); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir)
	if diff := cmp.Diff(want, db.Revision(), sameValue); diff != "" {
		t.Errorf("revision opened (-saved +opened):\n%s", diff)
	}
	if !db.Latest().Equal(noon) {
		t.Errorf("latest = %v, want %v", db.Latest(), noon)
	}
}

// edit is a copy of rev whose maps can be changed without changing rev's.
func edit(rev *policy.Revision) *policy.Revision {
	r, s, acme := *rev, *rev.State, *rev.State.Tenants.Get("acme")
	acme.Lists = map[string]*policy.List{}
	for k, l := range rev.State.Tenants.Get("acme").Lists {
		acme.Lists[k] = l
	}
	s.Tenants = policy.MapOf(map[string]*policy.Tenant{"acme": &acme, "none": rev.State.Tenants.Get("none")})
	r.State = &s
	r.Number++
	return &r
}

func TestSaveChange(t *testing.T) {
	tests := []struct {
		name   string
		change func(*policy.State)
	}{
		{name: "nothing", change: func(*policy.State) {}},
		{name: "list-added", change: func(s *policy.State) { s.Tenants.Get("acme").Lists["adminAPI"] = &policy.List{Owner: "x"} }},
		{name: "list-changed", change: func(s *policy.State) { s.Tenants.Get("acme").Lists["*"] = &policy.List{Owner: "x"} }},
		{name: "list-removed", change: func(s *policy.State) { delete(s.Tenants.Get("acme").Lists, "*") }},
		{name: "user-removed", change: func(s *policy.State) { s.Tenants.Get("acme").Users = map[string]map[string]*policy.List{} }},
		{name: "system-removed", change: func(s *policy.State) { s.System = map[string]*policy.List{} }},
		{name: "hosts-changed", change: func(s *policy.State) { s.Tenants.Get("acme").Hosts = []string{"other.example.com"} }},
		{name: "tenant-removed", change: func(s *policy.State) { s.Tenants = s.Tenants.With("acme", nil) }},
		{name: "mode-changed", change: func(s *policy.State) { s.Mode = policy.Off }},
		{name: "endpoint-removed", change: func(s *policy.State) { s.Endpoints = nil }},
	}
	for _, tt := range tests {
		for _, reopened := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/reopened-%t", tt.name, reopened), func(t *testing.T) {
				dir := t.TempDir()
				first := revision(t)
				db := open(t, dir)
				if err := db.Save(first, noon); err != nil {
					t.Fatal(err)
				}
				if reopened {
					db.Close()
					db = open(t, dir)
				}
				second := edit(first)
				tt.change(second.State)
				if err := db.Save(second, noon); err != nil {
					t.Fatal(err)
				}
				db.Close()
				if diff := cmp.Diff(second, open(t, dir).Revision(), sameValue); diff != "" {
					t.Errorf("revision opened (-saved +opened):\n%s", diff)
				}
			})
		}
	}
}

func TestRecordNeverGoesBack(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	for _, at := range []time.Time{noon, noon.Add(-time.Hour)} {
		if err := db.Record(at); err != nil {
			t.Fatal(err)
		}
		if !db.Latest().Equal(noon) {
			t.Errorf("after %v: latest = %v, want %v", at, db.Latest(), noon)
		}
	}
	db.Close()
	if got := open(t, dir).Latest(); !got.Equal(noon) {
		t.Errorf("opened again: latest = %v, want %v", got, noon)
	}
}

func TestOpenSnapshotTwice(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	_, err := OpenSnapshot(dir)
	want := "open " + filepath.Join(dir, SnapshotName) + ": another process has it open"
	if text(err) != want {
		t.Errorf("error = %q, want %q", text(err), want)
	}
}
