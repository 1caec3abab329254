package agent

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/policy"
)

// reading is all files as they were at one time.
type reading struct {
	config   *config.Config
	broken   bool // config is not to be used
	lists    *config.Lists
	problems policy.Problems
}

// read reads every file, so that all mistakes are told at once. What did not
// change since before (nil at first) keeps its pointers.
func read(file string, before *reading) *reading {
	r := &reading{}
	r.config, r.problems = config.Read(file)
	r.broken = r.problems.Err() != nil
	var prev *config.Lists
	if before != nil {
		prev = before.lists
		if reflect.DeepEqual(before.config, r.config) {
			r.config = before.config
		}
	}
	lists, problems := r.config.ReadLists(prev)
	r.lists = lists
	r.problems = append(r.problems, problems...)
	return r
}

// mistakes are the errors that keep r from being enforced. A file or directory
// that cannot be read is none where lists of known's stand in it: those stay in
// force. Elsewhere nobody knows what it would refuse; nor where postern.yaml has
// changed too, and may want of it lists that were never read.
func (r *reading) mistakes(known *policy.State) policy.Problems {
	spared := map[policy.Problem]bool{}
	if len(r.lists.Unread) > 0 && known != nil && sameBase(known, r.config.State) {
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
