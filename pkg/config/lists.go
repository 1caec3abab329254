package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Lists is what the list directories hold.
type Lists struct {
	System  map[string]*policy.List   // by resource
	Tenants map[string]*policy.Tenant // by id
	Files   []string                  // the files read, sorted: who may own lists
	Cleared []string                  // of whom a file says lists: {}: a tenant's id, or "" for the system
	// Unread are the problems of files and directories that could not be read
	// at all. Whoever holds their lists from an earlier reading keeps them.
	Unread policy.Problems

	sources map[string]*source
	records map[string]policy.Pos // where each tenant's hosts are said
}

// ReadLists reads every *.yaml and *.yml file of c's list directories. A file
// that did not change since prev (which may be nil) keeps its *policy.List
// pointers. The Lists are never nil: with errors they hold what could be read
// and are not to be enforced, but are good as the next prev.
func (c *Config) ReadLists(prev *Lists) (*Lists, policy.Problems) {
	paths, unread := listFiles(c.ListDirs)
	l, problems := readFiles(paths, prev)
	l.Unread = append(unread, l.Unread...)
	return l, append(unread, problems...)
}

// listFiles are the list files of directories. Hidden ones are editors' own.
func listFiles(dirs []string) ([]string, policy.Problems) {
	var paths []string
	var unread policy.Problems
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			unread = append(unread, unreadable(dir, err))
		}
		for _, e := range entries {
			ext := filepath.Ext(e.Name())
			if !strings.HasPrefix(e.Name(), ".") && (ext == ".yaml" || ext == ".yml") {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
	}
	return paths, unread
}

func unreadable(path string, err error) policy.Problem {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // the path stands before it already
	}
	return policy.Problem{Pos: policy.Pos{File: path}, What: fmt.Sprintf("read: %s", err)}
}

// readFiles reads the files on all processors, and joins them in their order.
func readFiles(paths []string, prev *Lists) (*Lists, policy.Problems) {
	slices.Sort(paths)
	paths = slices.Compact(paths)
	now := time.Now()
	sources := make([]*source, len(paths))
	errs := make([]error, len(paths))
	var next atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(paths)); i = next.Add(1) - 1 {
				sources[i], errs[i] = readSource(paths[i], prev.source(paths[i]), now)
			}
		})
	}
	group.Wait()

	l := &Lists{
		System:  map[string]*policy.List{},
		Tenants: map[string]*policy.Tenant{},
		sources: make(map[string]*source, len(paths)),
		records: map[string]policy.Pos{},
	}
	var problems policy.Problems
	for i, path := range paths {
		if errs[i] != nil {
			l.Unread = append(l.Unread, unreadable(path, errs[i]))
			problems = append(problems, unreadable(path, errs[i]))
			continue
		}
		l.sources[path] = sources[i]
		l.Files = append(l.Files, path)
		problems = append(problems, sources[i].problems...)
		problems = append(problems, l.add(path, &sources[i].says)...)
	}
	return l, problems
}

// source is the file as it was read before, nil where it was not.
func (l *Lists) source(path string) *source {
	if l == nil {
		return nil
	}
	return l.sources[path]
}

// add joins what one file says to the rest.
func (l *Lists) add(path string, f *listFile) policy.Problems {
	if f.cleared && !f.record { // who writes down hosts has to say lists: {} without meaning others'
		l.Cleared = append(l.Cleared, f.whose())
	}
	if f.tenant == nil {
		return own(l.System, f.system, "the system's")
	}
	t := f.tenant
	var problems policy.Problems
	if f.record {
		if first, ok := l.records[t.ID]; ok {
			problems = append(problems, twice(t.Pos, "tenant "+t.ID+" has its hosts", first))
		} else {
			l.records[t.ID] = t.Pos
		}
	}
	before, ok := l.Tenants[t.ID]
	if !ok {
		l.Tenants[t.ID] = t
		return problems
	}
	joined, more := join(before, t)
	l.Tenants[t.ID] = joined
	return append(problems, more...)
}

// whose is the tenant the file is about, "" where it is the system.
func (f *listFile) whose() string {
	if f.tenant == nil {
		return ""
	}
	return f.tenant.ID
}

// join is a tenant of whom two files speak. The files' own values stay as they
// are: a later reading may share them.
func join(a, b *policy.Tenant) (*policy.Tenant, policy.Problems) {
	t := &policy.Tenant{ID: a.ID, Hosts: a.Hosts, Pos: a.Pos, Lists: map[string]*policy.List{}, Users: map[string]map[string]*policy.List{}}
	if t.Hosts == nil {
		t.Hosts, t.Pos = b.Hosts, b.Pos
	}
	maps.Copy(t.Lists, a.Lists)
	problems := own(t.Lists, b.Lists, "tenant "+a.ID+"'s")
	for user, lists := range a.Users {
		t.Users[user] = maps.Clone(lists)
	}
	for user, lists := range b.Users {
		if t.Users[user] == nil {
			t.Users[user] = map[string]*policy.List{}
		}
		problems = append(problems, own(t.Users[user], lists, "user "+user+"'s")...)
	}
	return t, problems
}

// own adds lists that nobody else owns.
func own(all, more map[string]*policy.List, whose string) policy.Problems {
	var problems policy.Problems
	for _, resource := range slices.Sorted(maps.Keys(more)) {
		if first, ok := all[resource]; ok {
			problems = append(problems, twice(more[resource].Pos, whose+" list "+resource+" stands", first.Pos))
			continue
		}
		all[resource] = more[resource]
	}
	return problems
}

func twice(second policy.Pos, what string, first policy.Pos) policy.Problem {
	return policy.Problem{Pos: second, What: fmt.Sprintf("%s in %s already", what, first), Remedy: "keep one of them"}
}
