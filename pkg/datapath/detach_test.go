package datapath

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/testenv"
)

// A directory named by mistake is not emptied.
func TestDetachElsewhere(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "current")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Detach(Config{PinDir: dir})
	if got, want := text(err), "detach: "+dir+" is not on a bpffs, so nothing is pinned there"; got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestDetach(t *testing.T) {
	testenv.Root(t)
	dir := filepath.Join(testenv.BPFFS(t), "postern")
	cfg := Config{PinDir: dir}
	released := func(ns *testenv.NetNS) []Released {
		t.Helper()
		var all []Released
		ns.Do(func() {
			var err error
			if all, err = Detach(cfg); err != nil {
				t.Fatal(err)
			}
		})
		return all
	}
	here := newWire(t, testenv.NewNetNS(t), "edge")
	if got := released(here.host.NS); got != nil {
		t.Errorf("released %v where nothing ever was", got)
	}

	agent, err := openPins(dir)
	if err != nil {
		t.Fatal(err)
	}
	there := newWire(t, testenv.NewNetNS(t), "edge")
	for _, w := range []wire{here, there} {
		l := newTestLinks(t, dir, toyPrograms(t, "toy_drop", xdpDrop))
		if err := attach(t, l, w.host.NS, "edge"); err != "" {
			t.Fatal(err)
		}
		l.release()
	}
	if err := os.Mkdir(filepath.Join(dir, "gen-1"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("gen-1", filepath.Join(dir, "current")); err != nil {
		t.Fatal(err)
	}

	_, err = Detach(cfg)
	if got, want := text(err), fmt.Sprintf("detach: lock %s: pid %d holds it", dir, os.Getpid()); got != want {
		t.Fatalf("while an agent runs: error = %q, want %q", got, want)
	}
	if here.passes(t) {
		t.Fatal("a refused detach opened the interface")
	}
	agent.Close()

	want := []Released{{Name: "edge", Index: here.host.Index}, {Index: there.host.Index}}
	got := released(here.host.NS)
	for i := range got {
		if got[i].NetNS == 0 {
			t.Errorf("released %+v without its namespace", got[i])
		}
		got[i].NetNS = 0
	}
	if len(got) == 2 && got[0].Name == "" { // in order of namespaces
		got[0], got[1] = got[1], got[0]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("released (-want +got):\n%s", diff)
	}
	if !here.passes(t) || !there.passes(t) {
		t.Error("a frame is dropped after detach")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left in the pin directory: %v, %v", left, err)
	}
}
