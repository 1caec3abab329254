package agent

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fsnotify/fsnotify"
)

// TestSwappedDirectory changes files as Kubernetes does: they are links through
// a link, and that one is renamed over.
func TestSwappedDirectory(t *testing.T) {
	h := newHost(t)
	h.remove("lists.d/acme.yaml")
	h.write("lists.d/..1/acme.yaml", acme)
	h.write("lists.d/..2/acme.yaml", strings.Replace(acme, "[10.0.0.0/16,", "[10.0.0.0/16, 10.1.0.0/16,", 1))
	if err := errors.Join(
		os.Symlink("..1", h.path("lists.d/..data")),
		os.Symlink("..data/acme.yaml", h.path("lists.d/acme.yaml")),
	); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.refuses()
	h.reads(func(h *host) {
		if err := errors.Join(
			os.Symlink("..2", h.path("lists.d/..new")),
			os.Rename(h.path("lists.d/..new"), h.path("lists.d/..data")),
		); err != nil {
			t.Fatal(err)
		}
	})
	if !h.admits("data", netip.MustParseAddr("10.1.0.0")) {
		t.Error("the directory put in place is not in force")
	}
}

func TestWatcherSees(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Mkdir(in("..data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("a.yaml~"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file string
		op         fsnotify.Op
		named      bool // the file is read again
		whole      bool // all are looked at
	}{
		{name: "config", file: "agent.conf", op: fsnotify.Write, named: true},
		{name: "list", file: "a.yaml", op: fsnotify.Write, named: true},
		{name: "list-gone", file: "a.yaml", op: fsnotify.Remove, named: true},
		{name: "list-permissions", file: "a.yml", op: fsnotify.Chmod, named: true},
		{name: "directory-new", file: "..data", op: fsnotify.Create, whole: true},
		{name: "directory-gone", file: "lists.d", op: fsnotify.Remove, whole: true},
		{name: "directory-renamed", file: "lists.d", op: fsnotify.Rename, whole: true},
		{name: "backup-new", file: "a.yaml~", op: fsnotify.Create},
		{name: "log-rotated", file: "access.log", op: fsnotify.Rename},
		{name: "log", file: "access.log", op: fsnotify.Write},
		{name: "swap", file: ".a.yaml.swp", op: fsnotify.Write | fsnotify.Chmod},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &watcher{file: in("agent.conf"), dirs: []string{in("lists.d")}, touched: make(chan struct{}, 1)}
			w.see(fsnotify.Event{Name: in(tt.file), Op: tt.op})
			names, whole := w.take()
			if named := slices.Equal(names, []string{in(tt.file)}); named != tt.named || whole != tt.whole {
				t.Errorf("named %q, whole %t; want named %t, whole %t", names, whole, tt.named, tt.whole)
			}
		})
	}
}
