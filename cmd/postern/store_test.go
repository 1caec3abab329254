package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/store"
)

// typedHere types a command that asks no agent.
func typedHere(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := &console{in: strings.NewReader(""), out: &stdout, err: &stderr, getenv: func(string) string { return "" }}
	code = c.run(t.Context(), args)
	return stdout.String(), stderr.String(), code
}

func openStore(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir, store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoreRestore(t *testing.T) {
	dir := t.TempDir()
	snapshot, err := store.OpenSnapshot(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir)
	now := time.Now()
	if err := snapshot.Save(&policy.Revision{Number: 4, Since: now, State: &policy.State{}, Store: s.ID()}, now); err != nil {
		t.Fatal(err)
	}
	for _, close := range []func() error{snapshot.Close, s.Close, func() error { return os.Remove(filepath.Join(dir, store.StoreName)) }} {
		if err := close(); err != nil {
			t.Fatal(err)
		}
	}
	out, errs, code := typedHere(t, "store", "restore", dir, "-o", "json")
	if code != 0 || !strings.Contains(out, `"revision": 4`) || !strings.Contains(out, "the history") {
		t.Errorf("restore ended with %d:\n%s%s", code, out, errs)
	}
	if _, errs, code := typedHere(t, "store", "restore", dir); code != 1 || !strings.Contains(errs, store.ErrWhole.Error()) {
		t.Errorf("restore of a whole store ended with %d: %s", code, errs)
	}
}

func TestAuditVerify(t *testing.T) {
	dir := t.TempDir()
	journal := filepath.Join(dir, "audit")
	s := openStore(t, dir)
	log, _, err := audit.Open(audit.Config{Dir: journal, Store: s.Journal()})
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"list.add", "list.remove"} {
		log.Refused(audit.Record{Action: action, Error: "no"})
	}
	for _, end := range []func() error{log.Flush, log.Close, s.Close} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
	out, errs, code := typedHere(t, "audit", "verify", journal, "--store", dir)
	if want := "2 lines, 1 to 2, as they were written\n"; code != 0 || out != want {
		t.Errorf("verify ended with %d:\n%s%s", code, out, errs)
	}
	cutLastLine(t, journal)
	// Alone, the files do not show that their end is gone.
	if out, errs, code := typedHere(t, "audit", "verify", journal); code != 0 {
		t.Errorf("verify ended with %d:\n%s%s", code, out, errs)
	}
	if out, errs, code := typedHere(t, "audit", "verify", journal, "--store", dir); code != 1 || out == "" {
		t.Errorf("verify of a cut journal ended with %d:\n%s%s", code, out, errs)
	}
	rewrite(t, journal, func(text string) string { return strings.Replace(text, "list.add", "list.set", 1) })
	out, errs, code = typedHere(t, "audit", "verify", journal, "-o", "json")
	if code != 1 || !strings.Contains(out, `"line": 1`) {
		t.Errorf("verify of a changed journal ended with %d:\n%s%s", code, out, errs)
	}
}

func cutLastLine(t *testing.T, journal string) {
	t.Helper()
	rewrite(t, journal, func(text string) string {
		return text[:strings.LastIndexByte(strings.TrimSuffix(text, "\n"), '\n')+1]
	})
}

// rewrite changes the journal's file.
func rewrite(t *testing.T, journal string, edit func(string) string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(journal, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the journal has the files %q: %v", files, err)
	}
	if err := os.WriteFile(files[0], []byte(edit(readFile(t, files[0]))), 0o600); err != nil {
		t.Fatal(err)
	}
}
