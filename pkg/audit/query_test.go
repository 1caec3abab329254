package audit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/audit"
)

// many writes 20 lines, a minute apart, into several files.
func many(t *testing.T) string {
	t.Helper()
	m, c, dir := &memory{}, newClock(), t.TempDir()
	l := open(t, audit.Config{Dir: dir, Store: m, Now: c.now, FileSize: 2000})
	for i := range 20 {
		tenant := []string{"acme", "bolt", "core", "dune"}[i%4]
		rec := audit.Record{
			Actor: audit.Actor{ID: fmt.Sprintf("k%d", i%3), Name: `the "` + tenant + `" key`}, Action: "list.add",
			Tenants: []string{tenant, "all"}, Objects: []string{"tenants/" + tenant + "/*"}, Revision: uint64(i),
		}
		if i%5 == 4 {
			l.Refused(rec)
		} else {
			change(t, l, m, rec)
		}
		c.pass(time.Minute)
	}
	return dir
}

func numbers(entries []audit.Entry) []uint64 {
	var seqs []uint64
	for _, e := range entries {
		seqs = append(seqs, e.Seq)
	}
	return seqs
}

func TestQuery(t *testing.T) {
	start := newClock().at
	tests := []struct {
		name string
		q    audit.Query
		want []uint64
	}{
		{"newest-first", audit.Query{Limit: 3}, []uint64{20, 19, 18}},
		{"tenant", audit.Query{Tenant: "bolt"}, []uint64{18, 14, 10, 6, 2}},
		{"second-tenant", audit.Query{Tenant: "all", Limit: 2}, []uint64{20, 19}},
		{"tenant-unknown", audit.Query{Tenant: "bo"}, nil},
		{"tenant-is-no-action", audit.Query{Tenant: "list.add"}, nil},
		{"object", audit.Query{Object: "tenants/dune/*", Limit: 1}, []uint64{20}},
		{"actor-id", audit.Query{Actor: "k2", Limit: 3}, []uint64{18, 15, 12}},
		{"actor-name", audit.Query{Actor: `the "core" key`, Limit: 2}, []uint64{19, 15}},
		{"action", audit.Query{Action: "list.remove"}, nil},
		{"outcome", audit.Query{Outcome: audit.Failure}, []uint64{20, 15, 10, 5}},
		{"all-hold", audit.Query{Outcome: audit.Failure, Tenant: "bolt"}, []uint64{10}},
		{"since", audit.Query{Since: start.Add(17 * time.Minute)}, []uint64{20, 19, 18}},
		{"since-and-tenant", audit.Query{Since: start.Add(10 * time.Minute), Tenant: "acme"}, []uint64{17, 13}},
		{"until", audit.Query{Until: start.Add(2 * time.Minute)}, []uint64{2, 1}},
		{"between", audit.Query{Since: start.Add(4 * time.Minute), Until: start.Add(6 * time.Minute)}, []uint64{6, 5}},
		{"keep", audit.Query{Keep: func(e *audit.Entry) bool { return e.Revision > 17 }}, []uint64{20, 19}},
	}
	dir := many(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page, err := audit.Search(t.Context(), dir, tt.q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, numbers(page.Entries)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestQueryPages(t *testing.T) {
	dir := many(t)
	for limit := 1; limit <= 21; limit++ {
		var got []uint64
		q := audit.Query{Limit: limit}
		for {
			page, err := audit.Search(t.Context(), dir, q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, numbers(page.Entries)...)
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		var want []uint64
		for n := uint64(20); n > 0; n-- {
			want = append(want, n)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d: %s", limit, diff)
		}
	}
}

func TestQueryCursor(t *testing.T) {
	dir := many(t)
	for _, text := range []string{"x", "1", "1-", "-1", "1-x", "0-0", "1--5", "1-7", "1-99999999", "99999999999999999999-1"} {
		_, err := audit.Search(t.Context(), dir, audit.Query{Cursor: text})
		if !errors.Is(err, audit.ErrCursor) {
			t.Errorf("cursor %q: error %v, want %v", text, err, audit.ErrCursor)
		}
	}
}

func TestQueryCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := audit.Search(ctx, many(t), audit.Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Search: %v, want it to be cancelled", err)
	}
}

// FuzzRead reads any bytes as a journal, forwards and backwards.
func FuzzRead(f *testing.F) {
	f.Add([]byte("{}\n"), "")
	f.Add([]byte("\n\n{\"event\":"), "1-1")
	f.Add([]byte(`{"@timestamp":"2026-11-22T09:00:00Z","postern":{"previous":"00"},"event":{"sequence":1,"hash":"00"}}`+"\n"), "1-0")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, cursor string) {
		if err := os.WriteFile(filepath.Join(dir, firstFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.Search(t.Context(), dir, audit.Query{Cursor: cursor}); err != nil && !errors.Is(err, audit.ErrCursor) {
			t.Errorf("Search: %v", err)
		}
		report, err := audit.Verify(t.Context(), dir, audit.Note{}, nil)
		if err != nil {
			t.Errorf("Verify: %v", err)
		}
		if report.Lines > 0 && len(report.Problems) == 0 {
			t.Errorf("%q passes for a journal", text)
		}
	})
}

// FuzzOpen goes on with a journal whose end is any bytes.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("\x00\x00"))
	f.Add([]byte("{}\n{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir, m, all := journal(t)
		rewrite(t, dir, append(all, string(text)))
		l, problems, err := audit.Open(audit.Config{Dir: dir, Store: m})
		if err != nil || len(problems) == 0 {
			t.Fatalf("Open: %v, %v, want it to tell of %q", problems, err, text)
		}
		change(t, l, m, audit.Record{Action: "a"})
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if got := lines(t, dir); len(got) < 9 {
			t.Errorf("%d lines, want the seven, the gap and the change", len(got))
		}
	})
}
