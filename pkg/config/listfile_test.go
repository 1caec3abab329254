package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadListFiles(t *testing.T) {
	files, problems := ReadListFiles([]Text{
		{"b.yaml", []byte("tenant: b\nname: Bee\nself_service: true\nlists: {dataAccess: [192.0.2.1]}")},
		{"system.yaml", []byte("system: true\nlists: {webUI: []}")},
		{"a.yaml", []byte("tenant: a\nhosts: []\nlists: {}\nusers: {\"1\": {\"*\": [192.0.2.2]}}")},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	b, system, a := files[0], files[1], files[2]
	if b.Name != "b.yaml" || b.Tenant != "b" || b.TenantName != "Bee" || b.Hosts != nil || b.SelfService == nil || !*b.SelfService ||
		b.Lists["dataAccess"].Entries[0].Text != "192.0.2.1" {
		t.Errorf("b.yaml says %+v", b)
	}
	if system.Tenant != "" || system.Lists["webUI"] == nil {
		t.Errorf("system.yaml says %+v", system)
	}
	if a.Hosts == nil || a.SelfService != nil || len(a.Lists) > 0 || a.Users["1"]["*"] == nil {
		t.Errorf("a.yaml says %+v", a)
	}
}

// Each mistake is told, also what only two files together do wrong.
func TestReadListFilesWithMistakes(t *testing.T) {
	_, problems := ReadListFiles([]Text{
		{"-", []byte("tenant: a\nlists:\n  \"*\": [192.0.2]\n  webUI: [192.0.2.1]\n")},
		{"a.yaml", []byte("tenant: a\nlists: {webUI: []}")},
	})
	want := `-:3: address 192.0.2: not an IP address
a.yaml:2: tenant a's list webUI stands in -:4 already; keep one of them`
	if diff := cmp.Diff(want, problems.Error()); diff != "" {
		t.Error(diff)
	}
}

// What export writes holds many list files, and mistakes stand where they are.
func TestReadListFilesApart(t *testing.T) {
	const text = `# everything
---
tenant: a
lists:
  "*":
    - 192.0.2.1
--- # a second
tenant: b
attributes:
  note: |
    ---
lists: {"*": [192.0.2]}
---
tenant: c
lists:
  "*":
    - 192.0.2.1
	- 192.0.2.2
---
tenant: d
lists:
  "*":
    - 2001:db8::
---
tenant: a
lists: {webUI: [], "*": []}
---
`
	files, problems := ReadListFiles([]Text{{"all.yaml", []byte(text)}})
	var ids []string
	for _, f := range files {
		ids = append(ids, f.Tenant)
	}
	if diff := cmp.Diff([]string{"a", "b", "", "d", "a"}, ids); diff != "" {
		t.Error(diff)
	}
	want := `all.yaml:12: address 192.0.2: not an IP address
all.yaml:17: not YAML: found a tab character that violates indentation
all.yaml:23: 2001:db8:: is not quoted, and YAML takes its colon for a key's; write "2001:db8::"
all.yaml:26: tenant a's list * stands in all.yaml:5 already; keep one of them`
	if diff := cmp.Diff(want, problems.Error()); diff != "" {
		t.Error(diff)
	}
	if at := files[0].Lists["*"].Entries[0].Pos.Line; at != 6 {
		t.Errorf("a's entry stands in line %d, want 6", at)
	}
}

func TestReadListFilesOfNothing(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n---\n---\n"} {
		if _, problems := ReadListFiles([]Text{{"-", []byte(text)}}); problems.Error() != "-: the file is empty" {
			t.Errorf("%q: problems %v", text, problems)
		}
	}
}
