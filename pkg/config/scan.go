package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/policy"
)

// Scan is what is to be read: some files, whoever named them, or all that a walk
// over the directories found to be not as they were read.
type Scan struct {
	Files []string

	whole bool            // it was a walk
	dirs  policy.Problems // of the directories it could not walk
}

// Add adds what another Scan, a later one, names.
func (s *Scan) Add(later Scan) {
	s.Files = append(s.Files, later.Files...)
	slices.Sort(s.Files)
	s.Files = slices.Compact(s.Files)
	if later.whole {
		s.whole, s.dirs = true, later.dirs
	}
}

// Scan walks over c's list directories. Files that are as in prev (which may be
// nil) are left out, so that at 90,000 of them the walk may run beside other
// work, and only what it names is read in its turn.
func (c *Config) Scan(prev *Lists) Scan {
	paths, unread := listFiles(c.ListDirs)
	scan := Scan{whole: true, dirs: unread}
	var known policy.Map[source]
	if prev != nil {
		known = prev.files
	}
	for _, path := range paths {
		if s := known.Get(path); s == nil || !s.isCurrent(path) {
			scan.Files = append(scan.Files, path)
		}
	}
	if len(paths) == known.Len() && len(scan.Files) == 0 {
		return scan
	}
	listed := make(map[string]bool, len(paths))
	for _, path := range paths {
		listed[path] = true
	}
	for path := range known.All() {
		if !listed[path] {
			scan.Files = append(scan.Files, path)
		}
	}
	return scan
}

// holds reports whether path is that of a list file of c.
func (c *Config) holds(path string) bool {
	dir := filepath.Dir(path)
	return isListName(filepath.Base(path)) &&
		slices.ContainsFunc(c.ListDirs, func(d string) bool { return filepath.Clean(d) == dir })
}

// isListName leaves out hidden files, which are editors' own.
func isListName(name string) bool {
	ext := filepath.Ext(name)
	return !strings.HasPrefix(name, ".") && (ext == ".yaml" || ext == ".yml")
}

// listFiles are the list files of directories, each once.
func listFiles(dirs []string) ([]string, policy.Problems) {
	var paths []string
	var unread policy.Problems
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			unread = append(unread, unreadable(dir, err))
		}
		for _, e := range entries {
			if isListName(e.Name()) {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), unread
}

func unreadable(path string, err error) policy.Problem {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // the path stands before it already
	}
	return policy.Problem{Pos: policy.Pos{File: path}, What: fmt.Sprintf("read: %s", err)}
}
