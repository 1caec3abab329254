package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
)

const lists = `
-- a.yaml --
tenant: acme
hosts: [acme.example.com]
lists: {"*": [10.0.0.1], webUI: [10.0.0.2]}
users: {"1": {dataAccess: [10.0.0.3]}}
-- acme-users.yml --
tenant: acme
users: {"1": {webUI: [10.0.0.4]}, "2": {webUI: [10.0.0.5]}}
-- beta.yaml --
tenant: beta
lists: {}
-- system.yaml --
system: true
lists: {"*": [10.0.0.0/8]}
-- .#beta.yaml --
tenant: beta
-- notes.txt --
not YAML
`

func TestReadLists(t *testing.T) {
	dir := unpack(t, lists)
	c := &Config{State: &policy.State{Mode: policy.Monitor}, ListDirs: []string{dir}}
	l, problems := c.ReadLists(nil)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	in := func(names ...string) []string {
		for i, n := range names {
			names[i] = filepath.Join(dir, n)
		}
		return names
	}
	if diff := cmp.Diff(in("a.yaml", "acme-users.yml", "beta.yaml", "system.yaml"), l.Files); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"beta"}, l.Cleared); diff != "" {
		t.Error(diff)
	}
	s := c.With(l)
	if s.Mode != policy.Monitor || s.System["*"].Owner != in("system.yaml")[0] {
		t.Errorf("state %+v", s)
	}
	acme := s.Tenants["acme"]
	if diff := cmp.Diff([]string{"acme.example.com"}, acme.Hosts); diff != "" {
		t.Error(diff)
	}
	if acme.Lists["webUI"].Entries[0].Text != "10.0.0.2" || acme.Users["1"]["dataAccess"] == nil || acme.Users["1"]["webUI"] == nil || acme.Users["2"]["webUI"] == nil {
		t.Errorf("tenant %+v, want what both files say", acme)
	}
	if got := acme.Users["2"]["webUI"]; got.Owner != in("acme-users.yml")[0] || got.Entries[0].Pos != (policy.Pos{File: got.Owner, Line: 2}) {
		t.Errorf("list %+v, want its file as its owner", got)
	}
}

// What did not change keeps its pointers, whether its stamp or only its content
// tells.
func TestReadListsAgain(t *testing.T) {
	dir := unpack(t, lists)
	c := &Config{State: &policy.State{}, ListDirs: []string{dir}}
	first := readAgain(t, c, nil)
	system, beta := filepath.Join(dir, "system.yaml"), filepath.Join(dir, "beta.yaml")

	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(beta, old, old); err != nil {
		t.Fatal(err)
	}
	write(t, system, "system: true\nlists: {\"*\": [10.0.0.0/9]}\n")
	second := readAgain(t, c, first)
	if first.System["*"] == second.System["*"] || second.System["*"].Entries[0].Text != "10.0.0.0/9" {
		t.Error("an edited file kept its list")
	}
	if first.Tenants["beta"] != second.Tenants["beta"] {
		t.Error("a touched file lost its tenant")
	}
	if first.Tenants["acme"].Lists["*"] != second.Tenants["acme"].Lists["*"] {
		t.Error("an untouched file lost its list")
	}

	if err := os.Remove(filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	third := readAgain(t, c, second)
	if acme := third.Tenants["acme"]; acme == nil || acme.Lists != nil || acme.Users["2"] == nil {
		t.Errorf("tenant %+v, want what the other file says", acme)
	}
	if first.Tenants["acme"].Lists["*"] == nil {
		t.Error("a later reading changed an earlier one")
	}
}

// An edit that keeps size and time is seen all the same while the clock may not
// have moved, and afterwards by the time of the change itself.
func TestReadListsSeesQuickEdits(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "system.yaml")
	c := &Config{State: &policy.State{}, ListDirs: []string{dir}}
	at := time.Now().Add(-time.Hour)
	var l *Lists
	for _, address := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"} {
		write(t, file, "system: true\nlists: {\"*\": ["+address+"]}\n")
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
		l = readAgain(t, c, l)
		if got := l.System["*"].Entries[0].Text; got != address {
			t.Errorf("read %s, want %s", got, address)
		}
	}
}

func readAgain(t *testing.T, c *Config, prev *Lists) *Lists {
	t.Helper()
	l, problems := c.ReadLists(prev)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return l
}

// A mistake is told again at each reading, until it is mended.
func TestReadListsRepeatsMistakes(t *testing.T) {
	dir := unpack(t, "-- a.yaml --\ntenant: a\nlists: {\"*\": [x]}\n")
	c := &Config{State: &policy.State{}, ListDirs: []string{dir}}
	var l *Lists
	for range 3 {
		var problems policy.Problems
		l, problems = c.ReadLists(l)
		if want := dir + "/a.yaml:2: address x: not an IP address"; problems.Error() != want {
			t.Fatalf("problems %q, want %q", problems, want)
		}
	}
}

func TestReadListsUnread(t *testing.T) {
	dir := unpack(t, "-- lists/a.yaml --\ntenant: a\nlists: {}\n")
	in := filepath.Join(dir, "lists")
	if err := os.Symlink("gone", filepath.Join(in, "b.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(in, "c.yaml"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(in, "d.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &Config{State: &policy.State{}, ListDirs: []string{in, filepath.Join(dir, "none")}}
	l, problems := c.ReadLists(nil)
	want := strings.Join([]string{
		dir + "/none: read: no such file or directory",
		in + "/b.yaml: read: no such file or directory",
		in + "/c.yaml: read: not a regular file",
		in + "/d.yaml: read: not a regular file",
	}, "\n")
	if got := problems.Error(); got != want {
		t.Errorf("problems:\n%s\nwant:\n%s", got, want)
	}
	if got := l.Unread.Error(); got != want {
		t.Errorf("unread:\n%s\nwant:\n%s", got, want)
	}
	if diff := cmp.Diff([]string{in + "/a.yaml"}, l.Files); diff != "" {
		t.Error(diff)
	}
}
