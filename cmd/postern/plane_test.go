package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/postern-io/postern/pkg/config"
)

func TestPlaneProblems(t *testing.T) {
	dir := t.TempDir()
	p, err := openPlane(dir, config.API{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	if found := p.problems(); found != nil {
		t.Errorf("before: %v", found)
	}
	path := filepath.Join(dir, "postern.db")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := p.PutSecret("name", []byte("secret")); err == nil {
		t.Error("a store that was removed took a secret")
	}
	want := path + ": nothing more is written: the file was removed; " +
		"see to the disk, then restart postern; where the store is lost, postern store restore brings it back"
	if got := p.problems().Error(); got != want {
		t.Errorf("problems: %s\nwant: %s", got, want)
	}
}
