package config

import (
	"fmt"
	"net/netip"
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
	if diff := cmp.Diff(in("a.yaml", "acme-users.yml", "beta.yaml", "system.yaml"), owning(l)); diff != "" {
		t.Error(diff)
	}
	for id, want := range map[string]bool{"": false, "acme": false, "beta": true, "none": false} {
		if l.Clears(id) != want {
			t.Errorf("tenant %q cleared = %t", id, !want)
		}
	}
	s := c.With(l)
	if s.Mode != policy.Monitor || s.System["*"].Owner != in("system.yaml")[0] {
		t.Errorf("state %+v", s)
	}
	acme := s.Tenants.Get("acme")
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

// owning are the files that may own lists.
func owning(l *Lists) []string {
	var files []string
	for path := range l.files.Sorted() {
		if l.Owns(path) {
			files = append(files, path)
		}
	}
	return files
}

// A file with hosts has to say lists: {} and means itself, or the lists of a file
// that vanished beside it would go with it.
func TestHostsClearNothing(t *testing.T) {
	dir := unpack(t, `
-- hosts.yaml --
tenant: acme
hosts: [acme.example.com]
lists: {}
`)
	c := &Config{State: &policy.State{}, ListDirs: []string{dir}}
	l, problems := c.ReadLists(nil)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if l.Clears("acme") {
		t.Errorf("acme is cleared")
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
	if first.Tenants.Get("beta") != second.Tenants.Get("beta") {
		t.Error("a touched file lost its tenant")
	}
	if first.Tenants.Get("acme").Lists["*"] != second.Tenants.Get("acme").Lists["*"] {
		t.Error("an untouched file lost its list")
	}

	if err := os.Remove(filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	third := readAgain(t, c, second)
	if acme := third.Tenants.Get("acme"); acme == nil || acme.Lists != nil || acme.Users["2"] == nil {
		t.Errorf("tenant %+v, want what the other file says", acme)
	}
	if first.Tenants.Get("acme").Lists["*"] == nil {
		t.Error("a later reading changed an earlier one")
	}
}

// A stamp is trusted only when it is older than a clock may stand still: an edit
// in the same instant would leave it as it is.
func TestReadSourceTrustsOldStamps(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yaml")
	write(t, file, "tenant: a\nlists: {}\n")
	changed := time.Now()
	for _, tt := range []struct {
		name    string
		after   time.Duration
		trusted bool
	}{
		{"at-once", 0, false},
		{"within-the-grain", grain / 2, false},
		{"later", 2 * grain, true},
		{"clock-set-back", -time.Hour, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := readSource(file, nil, changed.Add(tt.after))
			if err := before.problems.Err(); err != nil {
				t.Fatal(err)
			}
			if trusted := readSource(file, before, changed) == before; trusted != tt.trusted {
				t.Errorf("trusted %t, want %t", trusted, tt.trusted)
			}
		})
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

// A list of which a part cannot be read goes on restricting.
func TestReadListsHalfRead(t *testing.T) {
	dir := unpack(t, "-- a.yaml --\ntenant: a\nlists: {\"*\": [x]}\n")
	c := &Config{State: &policy.State{}, ListDirs: []string{dir}}
	l, _ := c.ReadLists(nil)
	table, err := policy.Compile(c.With(l), policy.Host{}, now)
	if err != nil {
		t.Fatal(err)
	}
	v := table.Decide(policy.Query{Tenant: "a", Addr: netip.MustParseAddr("192.0.2.1")})
	if v.Allow || v.Reason != policy.NobodyLive {
		t.Errorf("allow %t, %s; want a refusal, nobody-live", v.Allow, v.Reason)
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
	if diff := cmp.Diff([]string{in + "/a.yaml"}, owning(l)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkReadLists(b *testing.B) {
	dir := b.TempDir()
	var text strings.Builder
	text.WriteString("tenant: acme\nlists:\n  \"*\":\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "    - 10.%d.%d.%d\n", i>>16, i>>8&255, i&255)
	}
	if err := os.WriteFile(filepath.Join(dir, "acme.yaml"), []byte(text.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	c := &Config{State: &policy.State{}, ListDirs: []string{dir}}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, problems := c.ReadLists(nil); problems.Err() != nil {
			b.Fatal(problems)
		}
	}
}
