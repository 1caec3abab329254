package audit_test

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/postern-io/postern/pkg/audit"
)

// journal has seven lines in one file: changes, but for the fourth.
func journal(t *testing.T) (dir string, m *memory, all []string) {
	t.Helper()
	m, dir = &memory{}, t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m, Now: newClock().now})
	for i := range 7 {
		if i == 3 {
			l.Refused(audit.Record{Action: "login"})
			continue
		}
		change(t, l, m, audit.Record{Actor: alice, Action: "list.add"})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, m, lines(t, dir)
}

const firstFile = "audit-00000000000000000001.jsonl"

func rewrite(t *testing.T, dir string, all []string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, firstFile), []byte(strings.Join(all, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// forge changes a line and gives it the hash of its new content.
func forge(line, was, is string) string {
	body := strings.Replace(line[:len(line)-76], was, is, 1)
	return fmt.Sprintf(`%s,"hash":"%x"}}`, body, sha256.Sum256([]byte(body)))
}

func TestVerify(t *testing.T) {
	tests := []struct {
		name   string
		tamper func(all []string, i int) []string
		first  int                // of the lines, from 1, to tamper with; default 1
		last   int                // default 7
		want   func(n int) string // when line n was tampered with; "FILE" is the file
	}{
		{
			name:   "nothing",
			tamper: func(all []string, _ int) []string { return all },
			want:   func(int) string { return "" },
		},
		{
			name: "changed",
			tamper: func(all []string, i int) []string {
				all[i] = strings.Replace(all[i], "2026", "2025", 1)
				return all
			},
			want: func(n int) string {
				return fmt.Sprintf("FILE:%d: line %d was changed: its hash is not that of its content", n, n)
			},
		},
		{
			name: "changed-and-hashed-again", last: 6,
			tamper: func(all []string, i int) []string {
				all[i] = forge(all[i], "2026", "2025")
				return all
			},
			want: func(n int) string {
				return fmt.Sprintf("FILE:%d: line %d was not written after the line %d before it", n+1, n+1, n)
			},
		},
		{
			name: "last-changed-and-hashed-again", first: 7,
			tamper: func(all []string, i int) []string {
				all[i] = forge(all[i], "2026", "2025")
				return all
			},
			want: func(int) string { return "FILE:7: line 7 is not the one that the store remembers" },
		},
		{
			name: "number-changed", first: 2, last: 6,
			tamper: func(all []string, i int) []string {
				all[i] = forge(all[i], fmt.Sprintf(`"sequence":%d`, i+1), `"sequence":99`)
				return all
			},
			want: func(n int) string {
				return fmt.Sprintf("FILE:%d: %s missing before line 99\nFILE:%d: line %d stands after line 99", n, span(n, 98), n+1, n+1)
			},
		},
		{
			name: "missing", last: 6,
			tamper: func(all []string, i int) []string { return slices.Delete(all, i, i+1) },
			want:   func(n int) string { return fmt.Sprintf("FILE:%d: line %d is missing before line %d", n, n, n+1) },
		},
		{
			name: "two-missing", last: 5,
			tamper: func(all []string, i int) []string { return slices.Delete(all, i, i+2) },
			want: func(n int) string {
				return fmt.Sprintf("FILE:%d: lines %d to %d are missing before line %d", n, n, n+1, n+2)
			},
		},
		{
			name:   "end-missing",
			tamper: func(all []string, i int) []string { return all[:i] },
			first:  2,
			want:   func(n int) string { return fmt.Sprintf("DIR: %s missing at the end", span(n, 7)) },
		},
		{
			name: "swapped", last: 5,
			tamper: func(all []string, i int) []string {
				all[i], all[i+1] = all[i+1], all[i]
				return all
			},
			want: func(n int) string {
				return fmt.Sprintf("FILE:%d: line %d is missing before line %d\n", n, n, n+1) +
					fmt.Sprintf("FILE:%d: line %d stands after line %d\n", n+1, n, n+1) +
					fmt.Sprintf("FILE:%d: line %d is missing before line %d", n+2, n+1, n+2)
			},
		},
		{
			name:   "doubled",
			tamper: func(all []string, i int) []string { return slices.Insert(all, i, all[i]) },
			want:   func(n int) string { return fmt.Sprintf("FILE:%d: line %d stands here again", n+1, n) },
		},
		{
			name:   "put-in",
			tamper: func(all []string, i int) []string { return slices.Insert(all, i, `{"event":{"sequence":3}}`) },
			want:   func(n int) string { return fmt.Sprintf("FILE:%d: not a line of an audit journal", n) },
		},
		{
			name: "overwritten", last: 6,
			tamper: func(all []string, i int) []string {
				all[i] = strings.Repeat("x", len(all[i]))
				return all
			},
			want: func(n int) string {
				return fmt.Sprintf("FILE:%d: not a line of an audit journal\nFILE:%d: line %d is missing before line %d", n, n+1, n, n+1)
			},
		},
	}
	for _, tt := range tests {
		for n := max(tt.first, 1); n <= cmp.Or(tt.last, 7); n++ {
			t.Run(fmt.Sprintf("%s/%d", tt.name, n), func(t *testing.T) {
				dir, m, all := journal(t)
				rewrite(t, dir, tt.tamper(all, n-1))
				_, got := verify(t, dir, m)
				want := strings.ReplaceAll(strings.ReplaceAll(tt.want(n), "FILE", filepath.Join(dir, firstFile)), "DIR", dir)
				if got != want {
					t.Errorf("verify:\n%s\nwant:\n%s", got, want)
				}
			})
		}
	}
}

func span(first, last int) string {
	if first == last {
		return fmt.Sprintf("line %d is", first)
	}
	return fmt.Sprintf("lines %d to %d are", first, last)
}

// TestVerifyEveryByte turns one bit of each byte of the journal, in turn.
func TestVerifyEveryByte(t *testing.T) {
	dir, m, all := journal(t)
	text := strings.Join(all, "\n") + "\n"
	for i := range len(text) {
		changed := []byte(text)
		changed[i] ^= 1
		if err := os.WriteFile(filepath.Join(dir, firstFile), changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, problems := verify(t, dir, m); problems == "" {
			t.Errorf("byte %d: %q instead of %q is not found", i, changed[i], text[i])
		}
	}
}

func TestVerifyFileMissing(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m, FileSize: 1000})
	for range 6 {
		change(t, l, m, audit.Record{Action: "a"})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "audit-00000000000000000003.jsonl")); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "audit-00000000000000000005.jsonl") + ":1: lines 3 to 4 are missing before line 5"
	if _, got := verify(t, dir, m); got != want {
		t.Errorf("verify: %s, want %s", got, want)
	}
}

func TestVerifyWithoutStore(t *testing.T) {
	dir, _, _ := journal(t)
	report, err := audit.Verify(t.Context(), dir, audit.Note{}, nil)
	if err != nil || report.Lines != 7 || report.From != 1 || report.To != 7 || len(report.Problems) > 0 {
		t.Errorf("verify: %+v, %v, want lines 1 to 7 without a problem", report, err)
	}
}
