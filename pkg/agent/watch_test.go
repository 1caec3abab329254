package agent

import (
	"errors"
	"net/netip"
	"os"
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

func TestMatters(t *testing.T) {
	w := &watcher{file: "/etc/postern/agent.conf"}
	tests := []struct {
		name, file string
		op         fsnotify.Op
		want       bool
	}{
		{name: "config", file: "/etc/postern/agent.conf", op: fsnotify.Write, want: true},
		{name: "list", file: "/etc/postern/lists.d/a.yaml", op: fsnotify.Write, want: true},
		{name: "list-permissions", file: "/etc/postern/lists.d/a.yml", op: fsnotify.Chmod, want: true},
		{name: "directory-new", file: "/etc/postern/lists.d", op: fsnotify.Create, want: true},
		{name: "directory-gone", file: "/etc/postern/lists.d", op: fsnotify.Remove, want: true},
		{name: "log-rotated", file: "/etc/postern/access.log", op: fsnotify.Rename, want: true},
		{name: "log", file: "/etc/postern/access.log", op: fsnotify.Write},
		{name: "swap", file: "/etc/postern/lists.d/.a.yaml.swp", op: fsnotify.Write | fsnotify.Chmod},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := w.matters(fsnotify.Event{Name: tt.file, Op: tt.op}); got != tt.want {
				t.Errorf("matters = %t, want %t", got, tt.want)
			}
		})
	}
}
