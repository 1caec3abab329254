package config

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecord(t *testing.T) {
	const text = `
tenant: acme
name: Acme & Söhne
self_service: false
attributes:
  skyRegion: oak
  b: {z: 1, a: [null, true, 1.5, 0x10, "1", 2026-01-01, {}, []]}
  1: one
lists: {}
`
	file := filepath.Join(t.TempDir(), "acme.yaml")
	l := readText(t, file, text).(*Lists)
	acme := l.Tenants.Get("acme")
	if acme.Name != "Acme & Söhne" || !acme.StaffOnly || acme.Owner != file {
		t.Errorf("the record is %+v", acme)
	}
	want := `{"skyRegion":"oak","b":{"z":1,"a":[null,true,1.5,16,"1","2026-01-01",{},[]]},"1":"one"}`
	if diff := cmp.Diff(want, string(acme.Attributes)); diff != "" {
		t.Error(diff)
	}
}

// A switch that a file sets is the file's.
func TestFilteringAt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "postern.yaml")
	for text, want := range map[string]string{"{}": "", "{\nfiltering: on}": file + ":2"} {
		if at := readText(t, file, text).(*Config).State.FilteringAt.String(); at != want {
			t.Errorf("%q is set at %q, want %q", text, at, want)
		}
	}
}

// A start without the file goes by what was kept as JSON.
func TestAPIIsKept(t *testing.T) {
	c, problems := Read(filepath.Join(unpack(t, everything), "postern.yaml"))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]API{"written": c.API, "default": defaultAPI()} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var kept API
		if err := json.Unmarshal(text, &kept); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, kept, shape); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
