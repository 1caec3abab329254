package config

import (
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Lint finds every mistake of the files named, and of the list files that a
// postern.yaml among them leads to, by file and line. A directory stands for its
// list files. List files without a postern.yaml are judged by themselves, with
// the built-in resources only.
func Lint(paths []string, now time.Time) policy.Problems {
	c := &Config{State: &policy.State{}}
	var lists, dirs []string
	var problems policy.Problems
	for _, path := range paths {
		switch {
		case isDirectory(path):
			dirs = append(dirs, path)
		case isListFile(path):
			lists = append(lists, path)
		case c.File != "":
			problems = append(problems, policy.Problem{
				Pos: policy.Pos{File: path}, What: "a second postern.yaml", Remedy: "lint one at a time",
			})
		default:
			var more policy.Problems
			c, more = Read(path)
			problems = append(problems, more...)
		}
	}
	found, unread := listFiles(append(c.ListDirs, dirs...))
	l, more := readFiles(append(lists, found...))
	problems = slices.Concat(problems, unread, more)

	s := c.With(l)
	for _, p := range append(s.Check(), policy.Lint(s, now)...) {
		if slices.Contains(c.broken, p.Pos) {
			continue // what is missing there may only be unreadable
		}
		if p.Pos == (policy.Pos{}) {
			p.Pos.File = c.File
		}
		problems = append(problems, p)
	}
	problems.Sort()
	return problems
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// listKey is a key that only list files have at their top. It is looked for in
// the text, which may not be YAML at all.
var listKey = regexp.MustCompile(`(?m)^[{]?["']?(?:system|tenant|hosts|self_service|attributes|lists|users)["']?[ \t]*:`)

func isListFile(path string) bool {
	data, _, err := readRegular(path)
	return err == nil && listKey.Match(data)
}
