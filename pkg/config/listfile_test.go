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
