package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// archive writes a cpio archive in the format that the kernel unpacks into its
// root. Names are relative to that root.
type archive struct {
	w    io.Writer
	done map[string]bool
}

func newArchive(w io.Writer) *archive { return &archive{w, map[string]bool{".": true}} }

// tree adds all of a directory but what is hidden.
func (a *archive) tree(name, from string) error {
	fsys := os.DirFS(from)
	return fs.WalkDir(fsys, ".", func(p string, e fs.DirEntry, err error) error {
		switch hidden := strings.HasPrefix(path.Base(p), ".") && p != "."; {
		case err != nil:
			return err
		case hidden && e.IsDir():
			return fs.SkipDir
		case hidden || !e.Type().IsRegular():
			return nil
		}
		return a.file(path.Join(name, p), path.Join(from, p))
	})
}

// file adds a file, what a link leads to, and the directories above it. The first
// of a name counts.
func (a *archive) file(name, from string) error {
	if a.done[name] {
		return nil
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := a.dir(path.Dir(name)); err != nil {
		return err
	}
	const regular = 0o100000
	return a.entry(name, regular|uint32(info.Mode().Perm()), data)
}

func (a *archive) dir(name string) error {
	if a.done[name] {
		return nil
	}
	if err := a.dir(path.Dir(name)); err != nil {
		return err
	}
	const directory = 0o040000
	return a.entry(name, directory|0o755, nil)
}

// entry writes a header, the name with a zero after it, and the data, each of the
// latter filled up to a multiple of four bytes.
func (a *archive) entry(name string, mode uint32, data []byte) error {
	a.done[name] = true
	// After the magic number: inode, mode, owner, group, links, time, size, device
	// (two numbers), device of a node (two), length of the name, checksum.
	header := "070701"
	for _, field := range []uint32{0, mode, 0, 0, 1, 0, uint32(len(data)), 0, 0, 0, 0, uint32(len(name) + 1), 0} {
		header += fmt.Sprintf("%08x", field)
	}
	for _, part := range [][]byte{[]byte(header + name + "\x00"), data} {
		if _, err := a.w.Write(append(part, make([]byte, -len(part)&3)...)); err != nil {
			return err
		}
	}
	return nil
}

// end writes the entry that the kernel stops at.
func (a *archive) end() error { return a.entry("TRAILER!!!", 0, nil) }
