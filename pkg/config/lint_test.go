package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestLintSixteen(t *testing.T) {
	want := []string{
		`testdata/sixteen.yaml:3: a list file has no key "host"; did you mean hosts?`,
		`testdata/sixteen.yaml:4: hosts is a single value, not a list`,
		`testdata/sixteen.yaml:6: * is not quoted, and YAML takes its star for an alias; write "*"`,
		`testdata/sixteen.yaml:8: warning: 10.0.0.5 lies inside 10.0.0.0/8 of line 7; remove it`,
		`testdata/sixteen.yaml:9: warning: 10.0.0.0/8 stands in line 7 already; remove one of them`,
		`testdata/sixteen.yaml:10: range 192.0.2.9-192.0.2.1: ends before it starts`,
		`testdata/sixteen.yaml:11: range 192.0.2.1-2001:db8::1: begins with IPv4 and ends with IPv6`,
		`testdata/sixteen.yaml:12: prefix 172.16.0.0/012: leading zero in the prefix length; write 172.16.0.0/12`,
		`testdata/sixteen.yaml:13: 2001:db8:: is not quoted, and YAML takes its colon for a key's; write "2001:db8::"`,
		`testdata/sixteen.yaml:14: warning: 198.51.100.7 is over since 2020-01-31T00:00:00Z`,
		`testdata/sixteen.yaml:15: expires is "2027-01-31", not an RFC 3339 time with its zone; write it like 2027-01-31T00:00:00Z`,
		`testdata/sixteen.yaml:16: warning: 0.0.0.0/0 allows every IPv4 address`,
		`testdata/sixteen.yaml:17: resource "dataAcess" is unknown; did you mean dataAccess?`,
		`testdata/sixteen.yaml:18: list webUI has no value; write [] for no entries`,
		`testdata/sixteen.yaml:20: a list file has the key "users" already, in line 19; keep one of them`,
		`testdata/sixteen.yaml:21: a second document begins, and only the first is read; make it a file of its own`,
	}
	got := Lint([]string{"testdata/sixteen.yaml"}, now)
	if diff := cmp.Diff(want, strings.Split(got.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
	if got.Err() == nil {
		t.Error("sixteen mistakes, and no error")
	}
}

// unpack writes the files of an archive, and gives back where.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		write(t, filepath.Join(dir, f.Name), string(f.Data))
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestLint reads archives of files and, last, what lint says of them.
func TestLint(t *testing.T) {
	archives, err := filepath.Glob("testdata/lint/*.txt")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := unpack(t, string(data))
			want, err := os.ReadFile(filepath.Join(dir, "lint"))
			if err != nil {
				t.Fatal(err)
			}
			var files []string
			for _, name := range []string{"postern.yaml", "list.yaml"} {
				if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
					files = append(files, filepath.Join(dir, name))
				}
			}
			got := strings.ReplaceAll(Lint(files, now).Error(), dir+"/", "")
			if diff := cmp.Diff(strings.TrimSpace(string(want)), got); diff != "" {
				t.Errorf("%s\ngot:\n%s", diff, got)
			}
		})
	}
}
