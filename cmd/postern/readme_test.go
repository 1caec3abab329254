package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/datapath"
)

const readme = "../../README.md"

// TestReadmeTables holds README's reference tables to what they are about.
// UPDATE_README=1 writes them anew.
func TestReadmeTables(t *testing.T) {
	for name, want := range map[string]string{
		"commands": commandTable(),
		"metrics":  metricTable(t),
		"defaults": defaultTable(),
	} {
		text := readFile(t, readme)
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->\n"
		before, rest, found := strings.Cut(text, begin)
		got, after, closed := strings.Cut(rest, end)
		switch {
		case !found || !closed:
			t.Errorf("README has no table between %q and %q", begin, end)
		case got == want:
		case os.Getenv("UPDATE_README") != "":
			if err := os.WriteFile(readme, []byte(before+begin+want+end+after), 0o644); err != nil {
				t.Error(err)
			}
		default:
			t.Errorf("README's table of %s is off (-is +should be):\n%s", name, cmp.Diff(got, want))
		}
	}
}

func commandTable() string {
	rows := "| command | |\n|---|---|\n"
	for _, c := range newRoot(&console{getenv: os.Getenv}).Commands() {
		rows += fmt.Sprintf("| `postern %s` | %s |\n", strings.ReplaceAll(c.Use, "|", `\|`), c.Short)
	}
	return rows
}

var metricLine = regexp.MustCompile(`"(postern_\w+)", "(.+)", (gauge|counter), (?:nil|l\((.+)\)),`)

func metricTable(t *testing.T) string {
	rows := "| metric | labels | |\n|---|---|---|\n"
	for _, m := range metricLine.FindAllStringSubmatch(readFile(t, "../../pkg/metrics/table.go"), -1) {
		rows += fmt.Sprintf("| `%s` | %s | %s |\n", m[1], strings.ReplaceAll(m[4], `"`, ""), m[2])
	}
	return rows
}

func defaultTable() string {
	rows := "| key | default | |\n|---|---|---|\n"
	for _, d := range config.Defaults {
		rows += fmt.Sprintf("| `%s` | %s | %s |\n", d.Key, d.Value, d.Meaning)
	}
	return rows
}

// TestReadmePacketPath holds that every reason stands in the packet-path table,
// and no other.
func TestReadmePacketPath(t *testing.T) {
	_, section, _ := strings.Cut(readFile(t, readme), "## The packet path\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var got, want []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			for _, m := range regexp.MustCompile("`(.+?)`").FindAllStringSubmatch(cells[3], -1) {
				got = append(got, m[1])
			}
		}
	}
	for _, r := range datapath.Reasons() {
		want = append(want, r.String())
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("reasons in README (-) are not the program's (+):\n%s", diff)
	}
}

// TestReadmeExample holds that the files README shows are good ones.
func TestReadmeExample(t *testing.T) {
	dir := t.TempDir()
	example := regexp.MustCompile("(?s)```yaml\n(# /etc/postern/(\\S+)\n.*?)```")
	for _, m := range example.FindAllStringSubmatch(readFile(t, readme), -1) {
		name := filepath.Join(dir, m[2])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(m[1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range config.Lint([]string{filepath.Join(dir, "postern.yaml")}, time.Now()) {
		t.Error(p)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
