package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// TestReadSome edits files and reads those alone, or those that a walk finds,
// beside a first reading of all.
func TestReadSome(t *testing.T) {
	contents := []string{
		"tenant: a\nlists: {\"*\": [10.0.0.1]}\n",
		"tenant: a\nlists: {\"*\": [10.0.0.2], webUI: []}\nusers: {u: {\"*\": []}}\n",
		"tenant: a\nhosts: [a.test]\nlists: {}\n",
		"tenant: a\nusers: {u: {\"*\": [10.0.0.3]}}\n",
		"tenant: b\nlists: {}\n",
		"tenant: b\nlists: {webUI: [x]}\n",
		"system: true\nlists: {\"*\": [10.0.0.0/8]}\n",
		"system: true\nlists: {webUI: []}\n",
		"tenant: [\n",
		"", // no file
	}
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		c := &Config{State: &policy.State{}, ListDirs: []string{dir}}
		var l *Lists
		for range 5 {
			var touched Scan
			for range rapid.IntRange(0, 3).Draw(rt, "edits") {
				file := filepath.Join(dir, rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "file")+".yaml")
				touched.Files = append(touched.Files, file)
				if err := os.RemoveAll(file); err != nil {
					rt.Fatal(err)
				}
				switch text := rapid.SampledFrom(contents).Draw(rt, "content"); {
				case rapid.IntRange(0, 9).Draw(rt, "unreadable") == 0:
					if err := os.Mkdir(file, 0o700); err != nil {
						rt.Fatal(err)
					}
				case text != "":
					if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
						rt.Fatal(err)
					}
				}
			}
			if l == nil || rapid.Bool().Draw(rt, "walk") {
				touched = c.Scan(l)
			}
			before := l
			var problems policy.Problems
			l, problems = c.ReadSome(before, touched)
			fresh, want := c.ReadLists(nil)
			compareLists(rt, l, fresh)
			if diff := cmp.Diff(want, problems); diff != "" {
				rt.Errorf("problems (-afresh +read again):\n%s", diff)
			}
		}
	})
}

func compareLists(t *rapid.T, kept, fresh *Lists) {
	said := cmp.Options{
		cmpopts.IgnoreUnexported(Lists{}), cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b addr.Range) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		sameMaps,
	}
	if diff := cmp.Diff(fresh, kept, said); diff != "" {
		t.Errorf("lists (-afresh +read again):\n%s", diff)
	}
	if diff := cmp.Diff(owning(fresh), owning(kept)); diff != "" {
		t.Errorf("files (-afresh +read again):\n%s", diff)
	}
	for _, id := range []string{"", "a", "b"} {
		if kept.Clears(id) != fresh.Clears(id) {
			t.Errorf("%q cleared = %t, afresh %t", id, kept.Clears(id), fresh.Clears(id))
		}
	}
}
