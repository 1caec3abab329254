package listfile_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"

	"github.com/hashicorp/hcl/v2"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/listfile"
	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/policy"
)

func entry(t testing.TB, text string) policy.Entry {
	t.Helper()
	r, err := addr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Entry{Text: text, Range: r}
}

// state has what a list file may hold, and what is hard to write.
func state(t testing.TB) *policy.State {
	more := entry(t, "203.0.113.0/24")
	more.Comment, more.Expires = "Paris: # 3rd floor", time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	denied, off := entry(t, "203.0.113.9"), entry(t, "2001:db8::")
	denied.Action, off.Disabled = policy.Deny, true
	return &policy.State{
		System: map[string]*policy.List{"managementAPI": {Entries: []policy.Entry{entry(t, "10.20.30.0-10.20.30.10")}}},
		Tenants: policy.MapOf(map[string]*policy.Tenant{
			"acme": {
				ID: "acme", Name: "ACME: Corp.", Hosts: []string{"acme.example.com", "*.acme.example"}, StaffOnly: true,
				Attributes: json.RawMessage(`{"skyRegion":"oak","dataBucket":"b","n":{"z":1,"a":[true,null]}}`),
				Lists: map[string]*policy.List{
					"*":          {Entries: []policy.Entry{entry(t, "192.176.1.1/24"), more, denied, off, entry(t, "2001:db8::")}},
					"dataAccess": {State: policy.ListMonitor, Entries: []policy.Entry{}},
				},
				Users: map[string]map[string]*policy.List{"1": {"dataAccess": {Entries: []policy.Entry{entry(t, "10.20.30.2")}}}, "2": {}},
			},
			"globex": {ID: "globex", Hosts: []string{"globex.example"}},
		}),
	}
}

// image is all of s.
func image(s *policy.State) policy.Image {
	i := policy.Image{Lists: maps.Collect(s.Lists()), Tenants: map[string]*policy.TenantRecord{}}
	for id, t := range s.Tenants.All() {
		i.Tenants[id] = &policy.TenantRecord{Name: t.Name, Hosts: t.Hosts, StaffOnly: t.StaffOnly, Attributes: t.Attributes, Users: t.Names}
	}
	return i
}

type failer interface{ Fatal(...any) }

func written(t failer, write func(*strings.Builder) error) string {
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestYAML(t *testing.T) {
	got := written(t, func(b *strings.Builder) error { return listfile.YAML(b, listfile.Of(image(state(t)))) })
	want := `system: true
lists:
  managementAPI:
    - 10.20.30.0-10.20.30.10
---
tenant: acme
name: 'ACME: Corp.'
hosts: [acme.example.com, '*.acme.example']
self_service: false
attributes: {"skyRegion": "oak", "dataBucket": "b", "n": {"z": 1, "a": [true, null]}}
lists:
  '*':
    - 192.176.1.1/24
    - {address: 203.0.113.0/24, comment: 'Paris: # 3rd floor', expires: '2027-01-31T00:00:00Z'}
    - {address: 203.0.113.9, action: deny}
    - {address: '2001:db8::', enabled: false}
    - '2001:db8::'
  dataAccess:
    state: monitor
    entries: []
users:
  "1":
    dataAccess:
      - 10.20.30.2
---
tenant: globex
hosts: [globex.example]
lists: {}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJSON(t *testing.T) {
	got := written(t, func(b *strings.Builder) error { return listfile.JSON(b, listfile.Of(image(state(t)))) })
	want := `{"documents":[
{"system":true,"lists":{"managementAPI":["10.20.30.0-10.20.30.10"]}},
{"tenant":"acme","name":"ACME: Corp.","hosts":["acme.example.com","*.acme.example"],"self_service":false,` +
		`"attributes":{"skyRegion":"oak","dataBucket":"b","n":{"z":1,"a":[true,null]}},"lists":{"*":["192.176.1.1/24",` +
		`{"address":"203.0.113.0/24","comment":"Paris: # 3rd floor","expires":"2027-01-31T00:00:00Z"},` +
		`{"address":"203.0.113.9","action":"deny"},{"address":"2001:db8::","enabled":false},"2001:db8::"],` +
		`"dataAccess":{"state":"monitor","entries":[]}},"users":{"1":{"dataAccess":["10.20.30.2"]}}},
{"tenant":"globex","hosts":["globex.example"],"lists":{}}
]}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	none := written(t, func(b *strings.Builder) error { return listfile.JSON(b, listfile.Of(policy.Image{})) })
	if !json.Valid([]byte(none)) || !json.Valid([]byte(got)) {
		t.Errorf("no JSON: %s", none)
	}
}

func TestHCL(t *testing.T) {
	got := written(t, func(b *strings.Builder) error { return listfile.HCL(b, listfile.Of(image(state(t)))) })
	want := `system {
  list "managementAPI" {
    entry {
      address = "10.20.30.0-10.20.30.10"
    }
  }
}

tenant "acme" {
  name         = "ACME: Corp."
  hosts        = ["acme.example.com", "*.acme.example"]
  self_service = false
  attributes   = "{\"skyRegion\":\"oak\",\"dataBucket\":\"b\",\"n\":{\"z\":1,\"a\":[true,null]}}"
  list "*" {
    entry {
      address = "192.176.1.1/24"
    }
    entry {
      address = "203.0.113.0/24"
      comment = "Paris: # 3rd floor"
      expires = "2027-01-31T00:00:00Z"
    }
    entry {
      address = "203.0.113.9"
      action  = "deny"
    }
    entry {
      address = "2001:db8::"
      enabled = false
    }
    entry {
      address = "2001:db8::"
    }
  }
  list "dataAccess" {
    state = "monitor"
  }
  user "1" {
    list "dataAccess" {
      entry {
        address = "10.20.30.2"
      }
    }
  }
}

tenant "globex" {
  hosts = ["globex.example"]
}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, problems := hclsyntax.ParseConfig([]byte(got), "export.hcl", hcl.InitialPos); problems.HasErrors() {
		t.Error(problems)
	}
}

func TestOne(t *testing.T) {
	l := &policy.List{Entries: []policy.Entry{entry(t, "10.0.0.1")}}
	tests := []struct{ name, place, want string }{
		{"system", "system/*", "system: true\nlists:\n  '*':\n    - 10.0.0.1\n"},
		{"tenant", "tenants/acme/webUI", "tenant: acme\nlists:\n  webUI:\n    - 10.0.0.1\n"},
		{"user", "tenants/acme/users/7/webUI", "tenant: acme\nusers:\n  \"7\":\n    webUI:\n      - 10.0.0.1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at, err := policy.ParsePlace(tt.place)
			if err != nil {
				t.Fatal(err)
			}
			got := written(t, func(b *strings.Builder) error { return listfile.YAML(b, one(listfile.One(at, l))) })
			if got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func one(d listfile.Document) iter.Seq[listfile.Document] {
	return slices.Values([]listfile.Document{d})
}

// TestReadBack puts exports where an agent reads its lists.
func TestReadBack(t *testing.T) {
	dir := t.TempDir()
	c := &config.Config{File: filepath.Join(dir, "postern.yaml"), ListDirs: []string{dir}, State: &policy.State{}}
	rapid.Check(t, func(t *rapid.T) {
		want := anyTenant(t)
		text := written(t, func(b *strings.Builder) error {
			return listfile.YAML(b, listfile.Of(image(&policy.State{Tenants: policy.MapOf(map[string]*policy.Tenant{want.ID: want})})))
		})
		if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ls, problems := c.ReadLists(nil)
		if len(problems) > 0 {
			t.Fatalf("%v\n%s", problems, text)
		}
		got := ls.Tenants.Get(want.ID)
		ignored := cmp.Options{
			cmpopts.IgnoreTypes(policy.Pos{}), cmpopts.IgnoreFields(policy.Tenant{}, "Owner"),
			cmpopts.IgnoreFields(policy.List{}, "Owner"), cmpopts.EquateEmpty(),
			cmp.Comparer(func(a, b addr.Range) bool { return a == b }),
		}
		if diff := cmp.Diff(want, got, ignored); diff != "" {
			t.Fatalf("%s\n%s", diff, text)
		}
	})
}

func anyTenant(t *rapid.T) *policy.Tenant {
	lists := rapid.Custom(func(t *rapid.T) map[string]*policy.List {
		return rapid.MapOfN(rapid.SampledFrom(append([]string{"*"}, policy.BuiltinResources...)), rapid.Custom(anyList), 0, 3).Draw(t, "lists")
	})
	id := rapid.SampledFrom([]string{"acme", "1", "1e3", "true", "null", "0x1F", "no", "2027-01-31", "1_000", "3.14", "a.b-c_d"})
	w := &policy.Tenant{ID: id.Draw(t, "id"), Lists: lists.Draw(t, "lists")}
	if rapid.Bool().Draw(t, "hosts") {
		w.Hosts = []string{"acme.example.com", "*.acme.example"}
	}
	for user, ls := range rapid.MapOfN(id, lists, 0, 3).Draw(t, "users") {
		if len(ls) > 0 { // a list file cannot name a user without lists
			if w.Users == nil {
				w.Users = map[string]map[string]*policy.List{}
			}
			w.Users[user] = ls
		}
	}
	return w
}

func anyList(t *rapid.T) *policy.List {
	return &policy.List{
		State:   rapid.SampledFrom([]policy.ListState{policy.ListOn, policy.ListMonitor, policy.ListOff}).Draw(t, "state"),
		Entries: rapid.SliceOfN(rapid.Custom(anyEntry), 0, 5).Draw(t, "entries"),
	}
}

func anyEntry(t *rapid.T) policy.Entry {
	n := rapid.Uint16().Draw(t, "n")
	texts := []string{
		fmt.Sprintf("10.0.%d.%d", n>>8, n&255), fmt.Sprintf("192.0.%d.%d/24", n>>8, n&255), "1.1.1.0 - 1.1.2.250",
		fmt.Sprintf("2001:db8:%x::", n), "::", "::1", fmt.Sprintf("::ffff:1.2.3.%d", n&255), "2001:db8::1-2001:db8::ff",
	}
	text := rapid.SampledFrom(texts).Draw(t, "text")
	r, err := addr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	e := policy.Entry{Text: text, Range: r, Disabled: rapid.Bool().Draw(t, "disabled")}
	if rapid.Bool().Draw(t, "deny") {
		e.Action = policy.Deny
	}
	e.Comment = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "~", "null", "a\nb\n", "'\"", "{x: 1}", "- a", "\u0085\u2028", "0", "#"})).Draw(t, "comment")
	if rapid.Bool().Draw(t, "expires") {
		e.Expires = time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
	}
	return e
}
