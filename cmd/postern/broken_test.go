package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/store"
)

// TestBrokenStore starts the agent over what is left of its store. It says what is
// wrong, enforces what was last in force and takes nothing that it could not keep,
// until the store is restored: then it goes on where it was.
func TestBrokenStore(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, path string)
		why    string // as the status says it
	}{
		{
			"truncated", func(t *testing.T, path string) { damageFile(t, path, func(b []byte) []byte { return b[:12<<10] }) },
			"open STORE/postern.db: the file is damaged: cut short",
		},
		{
			"no-store-at-all", func(t *testing.T, path string) {
				damageFile(t, path, func(b []byte) []byte { return bytes.Repeat([]byte("x"), len(b)) })
			},
			"open STORE/postern.db: invalid database",
		},
		{
			"a-record-corrupt", func(t *testing.T, path string) {
				damageFile(t, path, func(b []byte) []byte {
					return bytes.ReplaceAll(b, []byte("198.51.100.0/24"), []byte("198.51.100.0/14"))
				})
			},
			"open STORE/postern.db: records tenants/acme/*: damaged: its checksum differs",
		},
		{
			"foreign", func(t *testing.T, path string) {
				elsewhere := t.TempDir()
				other, err := store.Open(elsewhere, store.Config{})
				if err != nil {
					t.Fatal(err)
				}
				if err := other.Close(); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(filepath.Join(elsewhere, store.StoreName), path); err != nil {
					t.Fatal(err)
				}
			},
			"the store in STORE is not the one of revision 4, which stays in force",
		},
		{
			"gone", func(t *testing.T, path string) {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			},
			"the store in STORE is not the one of revision 4, which stays in force",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newPair(t)
			admin := r.key(`{"name": "admin", "role": "admin"}`)
			r.allow("tenants/acme/*", "198.51.100.0/24", "192.0.2.7")
			r.end(syscall.SIGTERM)
			dir := filepath.Join(r.dir, "store")
			tt.damage(t, filepath.Join(dir, store.StoreName))

			why := strings.Replace(tt.why, "STORE", dir, 1) + "; bring it back with postern store restore"
			r.start("degraded")
			r.until(5*time.Second, func(st api.Status) error {
				if st.Why != why {
					return fmt.Errorf("the status says %q, want %q", st.Why, why)
				}
				return nil
			})
			r.check(r.reverted(443), r.reverted(444))
			r.admits(443, "192.0.2.7")
			r.root("PUT /lists/tenants/acme/*?force=true", `{"entries": ["10.0.0.0/8"]}`).is(503).says(`"urn:postern:unavailable"`)
			r.root("POST /keys", `{"name": "another", "role": "reader"}`).is(503)
			for _, args := range [][]string{{"keys"}, {"keys", "show", "k1"}, {"history"}, {"history", "1"}, {"diff", "1", "2"}, {"audit"}} {
				out, errs, code := r.postern(args...)
				if want := "postern: the store cannot be had: " + why + "\n"; code != 1 || out != "" || errs != want {
					t.Errorf("%q ended with %d: %s%s, want %s", args, code, out, errs, want)
				}
			}
			r.root("GET /lists/tenants/acme/*", "").is(200).says("192.0.2.7")
			r.check(r.reverted(443), r.reverted(444))

			r.end(syscall.SIGTERM)

			if out, errs, code := r.postern("store", "restore", dir); code != 0 {
				t.Fatalf("restore ended with %d: %s%s", code, out, errs)
			}
			r.start("ok")
			r.check(r.reverted(443), r.reverted(444))
			r.curl("PUT http://127.0.0.1:9440/api/v1/lists/tenants/acme/*", `{"entries": ["192.0.2.0/24"]}`, "--header", admin.bearer()).is(200)
			r.check(r.tried(443), r.reverted(444))
		})
	}
}

func damageFile(t *testing.T, path string, to func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := to(b)
	if bytes.Equal(b, changed) {
		t.Fatalf("%s is as it was", path)
	}
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
}
