package main

import (
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/policy"
)

// documents are list files as the agent is sent them.
type documents struct {
	files []config.ListFile
	say   []v1.Document
}

// documents reads list files, directories of them, and - for stdin.
func (c *console) documents(names []string) (*documents, error) {
	texts, err := c.texts(names)
	if err != nil {
		return nil, err
	}
	files, problems := config.ReadListFiles(texts)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	d := &documents{files: files}
	for _, f := range files {
		d.say = append(d.say, document(f))
	}
	return d, nil
}

func (c *console) texts(names []string) ([]config.Text, error) {
	var texts []config.Text
	for _, name := range names {
		paths := []string{name}
		if isDir(name) {
			found, unread := config.ListFilesIn(name)
			if err := unread.Err(); err != nil {
				return nil, err
			}
			paths = found
		}
		for _, path := range paths {
			data, err := c.read(path)
			if err != nil {
				return nil, err
			}
			texts = append(texts, config.Text{Name: path, Data: data})
		}
	}
	return texts, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// read reads a file, or stdin where its name is -.
func (c *console) read(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(c.in)
	}
	return os.ReadFile(name)
}

func document(f config.ListFile) v1.Document {
	d := v1.Document{
		System: f.Tenant == "", Tenant: f.Tenant, Name: f.TenantName, SelfService: f.SelfService,
		Attributes: f.Attributes, Lists: contents(f.Lists),
	}
	if f.Hosts != nil {
		d.Hosts = &f.Hosts
	}
	for user, lists := range f.Users {
		if d.Users == nil {
			d.Users = map[string]map[string]v1.ListContent{}
		}
		d.Users[user] = contents(lists)
	}
	return d
}

func contents(lists map[string]*policy.List) map[string]v1.ListContent {
	all := make(map[string]v1.ListContent, len(lists))
	for resource, l := range lists {
		all[resource] = content(l)
	}
	return all
}

func content(l *policy.List) v1.ListContent {
	c := v1.ListContent{State: v1.ListState(l.State.String()), Entries: make([]v1.EntrySpec, len(l.Entries))}
	for i, e := range l.Entries {
		c.Entries[i] = v1.EntrySpec{Address: e.Text, Comment: e.Comment, Expires: e.Expires}
		if e.Action == policy.Deny {
			c.Entries[i].Action = v1.ActionDeny
		}
		if e.Disabled {
			c.Entries[i].Enabled = new(false)
		}
	}
	return c
}

// lists are the lists that the documents speak of, by name.
func (d *documents) lists() map[string]*policy.List {
	all := map[string]*policy.List{}
	for _, f := range d.files {
		at := policy.Place{Scope: policy.ScopeTenant, Tenant: f.Tenant}
		if f.Tenant == "" {
			at.Scope = policy.ScopeSystem
		}
		addLists(all, at, f.Lists)
		for user, lists := range f.Users {
			addLists(all, policy.Place{Scope: policy.ScopeUser, Tenant: f.Tenant, User: user}, lists)
		}
	}
	return all
}

func addLists(all map[string]*policy.List, at policy.Place, lists map[string]*policy.List) {
	for _, resource := range slices.Sorted(maps.Keys(lists)) {
		at.Resource = resource
		all[at.String()] = lists[resource]
	}
}

// locate says of mistakes in the nth document in which file that is.
func (d *documents) locate(err error) error {
	p, ok := errors.AsType[*v1.Problem](err)
	if !ok {
		return err
	}
	for i, m := range p.Mistakes {
		rest, inDocument := strings.CutPrefix(m.Path, "$.documents[")
		number, path, closed := strings.Cut(rest, "]")
		n, err := strconv.Atoi(number)
		if inDocument && closed && err == nil && n < len(d.files) {
			p.Mistakes[i].Path = d.files[n].Name + ": $" + path
		}
	}
	return err
}
