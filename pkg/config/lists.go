package config

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Lists is what the list directories hold. It never changes: another reading
// makes another, which shares with it all that is the same.
type Lists struct {
	System  map[string]*policy.List   // by resource
	Tenants policy.Map[policy.Tenant] // by id
	// Unread are the problems of files and directories that could not be read
	// at all. Whoever holds their lists from an earlier reading keeps them.
	Unread policy.Problems

	dirs   policy.Problems    // of directories
	files  policy.Map[source] // by path
	owners policy.Map[owner]  // by a tenant's id; the system is under ""
	// Of files and owners, those that have problems.
	faulty  policy.Map[source]
	clashes policy.Map[owner]
}

// Owns reports whether the file was read, and so may own lists.
func (l *Lists) Owns(file string) bool {
	s := l.files.Get(file)
	return s != nil && !s.unread
}

// Has reports whether a walk found nothing but what l has.
func (l *Lists) Has(found Scan) bool {
	return len(found.Files) == 0 && slices.Equal(found.dirs, l.dirs)
}

// Clears reports whether a file says lists: {} of a tenant, or of the system
// under "".
func (l *Lists) Clears(id string) bool {
	o := l.owners.Get(id)
	return o != nil && o.cleared
}

// ReadLists reads every *.yaml and *.yml file of c's list directories. A file
// that did not change since prev (which may be nil) keeps its *policy.List
// pointers. The Lists are never nil: with errors they hold what could be read
// and are not to be enforced, but are good as the next prev.
func (c *Config) ReadLists(prev *Lists) (*Lists, policy.Problems) {
	return c.ReadSome(prev, c.Scan(prev))
}

// ReadSome reads what s names, and no other file; what is no list file of c it
// passes over. All problems are told again, also those of files it does not read.
func (c *Config) ReadSome(prev *Lists, s Scan) (*Lists, policy.Problems) {
	if prev == nil {
		prev = &Lists{}
	}
	next := *prev
	if s.whole {
		next.dirs = s.dirs
	}
	next.read(s.Files, c.holds)
	return &next, next.problems()
}

// readFiles reads these files and no others, of no directory.
func readFiles(paths []string) (*Lists, policy.Problems) {
	slices.Sort(paths)
	l := &Lists{}
	l.read(slices.Compact(paths), func(string) bool { return true })
	return l, l.problems()
}

// read reads files on all processors; those that are not held are gone.
func (l *Lists) read(paths []string, holds func(path string) bool) {
	read := make([]*source, len(paths))
	now := time.Now()
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(paths)) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(paths)); i = next.Add(1) - 1 {
				if holds(paths[i]) {
					read[i] = readSource(paths[i], l.files.Get(paths[i]), now)
				}
			}
		})
	}
	group.Wait()
	changed := map[string]*source{}
	for i, path := range paths {
		if read[i] != l.files.Get(path) {
			changed[path] = read[i]
		}
	}
	l.take(changed)
}

// take puts files in the place of what they were, and joins anew what their
// owners have.
func (l *Lists) take(changed map[string]*source) {
	faulty, touched := map[string]*source{}, map[string][]string{}
	for path, is := range changed {
		was := l.files.Get(path)
		faulty[path] = is.ifFaulty()
		if was.saysTheSame(is) {
			continue
		}
		for _, s := range []*source{was, is} {
			if s != nil && !s.unread {
				touched[s.says.whose()] = append(touched[s.says.whose()], path)
			}
		}
	}
	l.files, l.faulty = l.files.Edit(changed), l.faulty.Edit(faulty)
	l.join(touched)
}

// join says anew what the owners of files have; touched are those of their files
// that came, went or changed.
func (l *Lists) join(touched map[string][]string) {
	owners, clashes, tenants := map[string]*owner{}, map[string]*owner{}, map[string]*policy.Tenant{}
	for id, paths := range touched {
		o := l.owner(id, paths)
		owners[id], clashes[id] = o, o.ifClashing()
		if id == "" {
			l.System = o.system()
		} else {
			tenants[id] = o.whole()
		}
	}
	l.owners, l.clashes = l.owners.Edit(owners), l.clashes.Edit(clashes)
	l.Tenants = l.Tenants.Edit(tenants)
}

// problems are all there are, of directories and then by file, and Unread those
// of what could not be read.
func (l *Lists) problems() policy.Problems {
	var found policy.Problems
	l.Unread = slices.Clone(l.dirs)
	for _, s := range l.faulty.Sorted() {
		found = append(found, s.problems...)
		if s.unread {
			l.Unread = append(l.Unread, s.problems...)
		}
	}
	for _, o := range l.clashes.Sorted() {
		found = append(found, o.problems...)
	}
	slices.SortStableFunc(found, func(a, b policy.Problem) int { return cmp.Compare(a.Pos.File, b.Pos.File) })
	return slices.Concat(l.dirs, found)
}
