package agent

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/policy"
)

// reading is all files as they were at one time.
type reading struct {
	config   *config.Config
	broken   bool // config is not to be used
	lists    *config.Lists
	listed   *config.Config // in whose directories lists are
	stale    bool           // they are not read as of now
	problems policy.Problems
}

// read reads every file, so that all mistakes are told at once.
func read(file string) *reading {
	c, problems := config.Read(file)
	lists, more := c.ReadLists(nil)
	return &reading{
		config: c, broken: problems.Err() != nil, lists: lists, listed: c,
		problems: slices.Concat(problems, more),
	}
}

// isCurrent reports whether another reading would find what r did, where found is
// what a walk over the directories names.
func (r *reading) isCurrent(found config.Scan) bool {
	return !r.stale && r.config.IsCurrent() && r.lists.Has(found)
}

// again reads the files that are due, and postern.yaml where it changed. What
// did not change keeps its pointers. A broken postern.yaml may not say where the
// lists are: then they are left until it does.
func (r *reading) again(due config.Scan) *reading {
	c, problems := r.config.Again()
	next := &reading{config: c, broken: problems.Err() != nil, listed: c}
	same := slices.Equal(c.ListDirs, r.listed.ListDirs)
	var more policy.Problems
	switch {
	case next.broken && !same:
		next.lists, next.listed, next.stale = r.lists, r.listed, true
	case r.stale || !same:
		next.lists, more = c.ReadLists(r.lists)
	default:
		next.lists, more = c.ReadSome(r.lists, due)
	}
	next.problems = slices.Concat(problems, more)
	return next
}

// mistakes are the errors that keep r from being enforced. A file or directory
// that cannot be read is none where lists of known's stand in it: those stay in
// force. Elsewhere nobody knows what it would refuse; nor where postern.yaml has
// changed too, and may want of it lists that were never read.
func (r *reading) mistakes(known, next *policy.State) policy.Problems {
	spared := map[policy.Problem]bool{}
	if len(r.lists.Unread) > 0 && known != nil && sameBase(known, next) {
		owners := ownersOf(known)
		for _, p := range r.lists.Unread {
			spared[p] = ownsBelow(owners, p.Pos.File)
		}
	}
	var found policy.Problems
	for _, p := range r.problems.Errors() {
		if !spared[p] {
			found = append(found, p)
		}
	}
	return found
}

func ownsBelow(owners map[string]bool, path string) bool {
	for owner := range owners {
		if owner == path || strings.HasPrefix(owner, path+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

// storeLine finds the store's path in a file that cannot be read as YAML, in the
// ways it is commonly written.
var storeLine = regexp.MustCompile(`(?m)^store:\s*\{?\s*path:\s*["']?([^\s"'{},#]+)`)

// storePath is where the store is. A broken file still says so, mostly, and
// another store would know nothing of what was in force.
func (r *reading) storePath() string {
	if !r.broken {
		return r.config.StorePath
	}
	text, err := os.ReadFile(r.config.File)
	if m := storeLine.FindSubmatch(text); err == nil && m != nil {
		return string(m[1])
	}
	return r.config.StorePath
}
