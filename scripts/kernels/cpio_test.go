package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The format's own description says what stands here.
func TestArchive(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"x": "12345", ".hidden": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	a := newArchive(&got)
	for range 2 { // the second time all is there
		if err := a.tree("d", dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.end(); err != nil {
		t.Fatal(err)
	}
	entry := func(mode, size, nameSize, name string) string {
		zero := strings.Repeat("0", 8)
		return "070701" + zero + mode + zero + zero + "00000001" + zero + size + strings.Repeat(zero, 4) + nameSize + zero + name
	}
	want := entry("000041ed", "00000000", "00000002", "d\x00") +
		entry("000081a0", "00000005", "00000004", "d/x\x00") + "\x00\x0012345\x00\x00\x00" +
		entry("00000000", "00000000", "0000000b", "TRAILER!!!\x00") + "\x00\x00\x00"
	if got.String() != want {
		t.Errorf("archive:\n%q, want\n%q", &got, want)
	}
}
