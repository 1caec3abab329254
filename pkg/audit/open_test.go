package audit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/testenv"
)

// TestCrash cuts the file off at each byte that a crash may take: all since the
// file was last made durable, which a change after a refused attempt does.
func TestCrash(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m})
	file := filepath.Join(dir, firstFile)
	change(t, l, m, audit.Record{Action: "a"})
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	change(t, l, m, audit.Record{Action: "b"})
	l.Refused(audit.Record{Action: "c"})
	durable, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	change(t, l, m, audit.Record{Action: "d"})
	change(t, l, m, audit.Record{Action: "e"})
	l.Refused(audit.Record{Action: "f"})
	l.Refused(audit.Record{Action: "g"})
	all, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(durable); cut <= len(all); cut++ {
		afterCrash(t, m.clone(), all[:cut])
	}
}

func afterCrash(t *testing.T, m *memory, left []byte) {
	t.Helper()
	dir := inMemory(t)
	if err := os.WriteFile(filepath.Join(dir, firstFile), left, 0o600); err != nil {
		t.Fatal(err)
	}
	l, problems, err := audit.Open(audit.Config{Dir: dir, Store: m})
	if err != nil {
		t.Fatal(err)
	}
	torn := len(left) - strings.LastIndex(string(left), "\n") - 1
	want := ""
	if torn > 0 {
		want = fmt.Sprintf("%s: warning: its last line was cut short; the %d bytes of it are removed", filepath.Join(dir, firstFile), torn)
	}
	if problems.Error() != want {
		t.Errorf("%d bytes left: Open tells %q, want %q", len(left), problems, want)
	}
	change(t, l, m, audit.Record{Action: "h"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, problems := verify(t, dir, m); problems != "" {
		t.Errorf("%d bytes left: %s", len(left), problems)
	}
	text := strings.Join(lines(t, dir), "\n")
	for _, action := range []string{"a", "b", "c", "d", "e", "h"} {
		if n := strings.Count(text, `"action":"`+action+`"`); n != 1 {
			t.Errorf("%d bytes left: %s has %d lines, want one", len(left), action, n)
		}
	}
}

// inMemory is a directory, if it can be one for which an fsync costs nothing.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "audit")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestOpenTampered(t *testing.T) {
	tests := []struct {
		name   string
		tamper func(all []string) []string
		want   string // of Open
		verify string
	}{
		{
			name:   "end-cut",
			tamper: func(all []string) []string { return all[:5] },
			want:   "the journal ends with line 5; lines 6 to 7 are missing",
			verify: "FILE:6: lines 6 to 7 are missing before line 8",
		},
		{
			name:   "all-cut",
			tamper: func([]string) []string { return nil },
			want:   "the journal ends with line 0; lines 1 to 7 are missing",
			verify: "FILE:1: not a line of an audit journal\nFILE:2: lines 1 to 7 are missing before line 8",
		},
		{
			name: "last-forged",
			tamper: func(all []string) []string {
				all[6] = forge(all[6], "alice", "mallory")
				return all
			},
			want:   "before line 8 there are lines missing, or not as they were written",
			verify: "FILE:8: line 8 was not written after the line 7 before it",
		},
		{
			name: "last-changed",
			tamper: func(all []string) []string {
				all[6] = strings.Replace(all[6], "alice", "mallory", 1)
				return all
			},
			want:   "the journal ends with line 6; line 7 is missing",
			verify: "FILE:7: line 7 was changed: its hash is not that of its content",
		},
		{
			name:   "line-forged-behind",
			tamper: func(all []string) []string { return append(all, forge(all[6], `"sequence":7`, `"sequence":8`)) },
			want:   "before line 9 there are lines missing, or not as they were written",
			verify: "FILE:8: line 8 was not written after the line 7 before it\nFILE:9: line 9 was not written after the line 8 before it",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, m, all := journal(t)
			rewrite(t, dir, tt.tamper(all))
			l, problems, err := audit.Open(audit.Config{Dir: dir, Store: m})
			if err != nil {
				t.Fatal(err)
			}
			if want := dir + ": " + tt.want + "; postern audit verify says where"; problems.Error() != want {
				t.Errorf("Open tells %q, want %q", problems, want)
			}
			change(t, l, m, audit.Record{Action: "list.add"})
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if _, got := verify(t, dir, m); got != strings.ReplaceAll(tt.verify, "FILE", filepath.Join(dir, firstFile)) {
				t.Errorf("verify: %s\nwant %s", got, tt.verify)
			}
			page, err := audit.Search(t.Context(), dir, audit.Query{Action: audit.Gap})
			if err != nil || len(page.Entries) != 1 || page.Entries[0].Error != tt.want {
				t.Errorf("the journal says %+v, %v, want once %q", page.Entries, err, tt.want)
			}
			again := open(t, audit.Config{Dir: dir, Store: m}) // told once
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestOpenDirectoryMissing(t *testing.T) {
	dir, m, _ := journal(t)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	l, problems, err := audit.Open(audit.Config{Dir: dir, Store: m})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if want := dir + ": the journal ends with line 0; lines 1 to 7 are missing; postern audit verify says where"; problems.Error() != want {
		t.Errorf("Open tells %q, want %q", problems, want)
	}
}

// TestOutboxBehindGap lacks all lines before those of the outbox.
func TestOutboxBehindGap(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m})
	change(t, l, m, audit.Record{Action: "a"})
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	change(t, l, m, audit.Record{Action: "b"})
	dir = t.TempDir()
	again, problems, err := audit.Open(audit.Config{Dir: dir, Store: m})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	want := dir + ": before line 3 there are lines missing, or not as they were written; postern audit verify says where"
	if problems.Error() != want {
		t.Errorf("Open tells %q, want %q", problems, want)
	}
	if got := lines(t, dir); len(got) != 2 {
		t.Errorf("lines %q, want the outbox's and the gap", got)
	}
}

// TestNewStore has another store than the one that saw the lines written.
func TestNewStore(t *testing.T) {
	dir, _, _ := journal(t)
	m := &memory{}
	l := open(t, audit.Config{Dir: dir, Store: m})
	change(t, l, m, audit.Record{Action: "list.add"})
	if report, problems := verify(t, dir, m); report.To != 8 || problems != "" {
		t.Errorf("verify: %+v, want 8 lines without a problem", report)
	}
}

func TestDiskFull(t *testing.T) {
	testenv.Root(t)
	dir := t.TempDir()
	if err := syscall.Mount("audit", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	m := &memory{}
	l := open(t, audit.Config{Dir: dir, Store: m})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 48<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		change(t, l, m, audit.Record{Action: "a"})
	}
	l.Refused(audit.Record{Action: "b"})
	if s := l.Status(); s.Waiting == 0 || s.Refused != 1 || s.Err == nil {
		t.Fatalf("status %+v, want the disk to be full", s)
	}
	if report, err := l.Verify(t.Context()); err != nil || report.To != 100 || len(report.Problems) > 0 {
		t.Errorf("with the disk full: %+v, %v, want 100 lines", report, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	if report, problems := verify(t, dir, &memory{head: m.head}); report.Lines != 100 || problems != "" {
		t.Errorf("with room again: %d lines, %s, want 100", report.Lines, problems)
	}
}
