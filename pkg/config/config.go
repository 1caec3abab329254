// Package config reads what an operator writes: postern.yaml, and the list
// files in the directories it names. Every mistake of every file is found in
// one reading, with its line and, where there is one, the remedy.
//
// What comes out is a policy.State. Whether it makes sense as a whole is the
// policy package's to say (State.Check, policy.Lint).
package config

import (
	"reflect"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/postern-io/postern/pkg/policy"
)

// Config is postern.yaml.
type Config struct {
	File          string
	Interfaces    []string // exact names
	ListDirs      []string // relative ones are made so from File's directory
	StorePath     string
	API           API
	MetricsListen string        // host:port; "": off
	State         *policy.State // without lists and tenants: see With

	broken   []policy.Pos // the endpoints and failsafes that could not be read whole
	seen     seen
	problems policy.Problems
}

// With is c's state with the lists and tenants of l.
func (c *Config) With(l *Lists) *policy.State {
	s := *c.State
	s.System, s.Tenants = l.System, l.Tenants
	return &s
}

// Read reads postern.yaml. The Config is never nil: with errors it holds what
// could be read, and is not to be enforced.
func Read(path string) (*Config, policy.Problems) {
	c := &Config{
		File:      path,
		StorePath: "/var/lib/postern",
		API:       defaultAPI(),
		State:     &policy.State{Unlisted: policy.UnlistedOpen},
	}
	r := &reader{file: path}
	data, info, err := readRegular(path)
	if err != nil {
		c.problems = policy.Problems{unreadable(path, err)}
		return c, c.problems
	}
	c.seen = seenAt(info, time.Now())
	if root := r.parse(data); root != nil {
		r.config(root, c)
	}
	c.problems = r.sorted()
	return c, c.problems
}

// IsCurrent reports whether the file need not be read again.
func (c *Config) IsCurrent() bool { return c.seen.isCurrent(c.File) }

// Again is the file as it is now. Where it says the same, the State is c's own.
func (c *Config) Again() (*Config, policy.Problems) {
	if c.seen.isCurrent(c.File) {
		return c, c.problems
	}
	again, problems := Read(c.File)
	if reflect.DeepEqual(again.State, c.State) {
		again.State = c.State
	}
	return again, problems
}

// config is the shape of postern.yaml.
func (r *reader) config(n *yaml.Node, c *Config) {
	s := c.State
	r.mapping("postern.yaml", n, fields{
		"interfaces": r.interfaces(&c.Interfaces),
		"mode":       choose(r, &s.Mode, policy.Enforce, policy.Monitor, policy.Off),
		"unlisted":   choose(r, &s.Unlisted, policy.UnlistedOpen, policy.UnlistedClosed),
		"mapped":     r.either(&s.Unmap, "unmap", "text"),
		"filtering":  r.filtering(s),
		"mpls":       r.either(&s.PassMPLS, "pass", "drop"),
		"tunnels":    r.section(fields{"from": r.prefixes(&s.TunnelsFrom)}),
		"failsafe":   r.each(r.whole(c, func(n *yaml.Node) { s.Failsafe = append(s.Failsafe, r.failsafe(n)) })),
		"list_dirs":  r.paths(&c.ListDirs),
		"resources":  r.names(&s.Resources),
		"store":      r.section(fields{"path": r.text(&c.StorePath)}),
		"api":        r.api(&c.API),
		"metrics":    r.section(fields{"listen": r.hostPort(&c.MetricsListen)}),
		"endpoints":  r.each(r.whole(c, func(n *yaml.Node) { s.Endpoints = append(s.Endpoints, r.endpoint(n)) })),
	})
}

// filtering is the switch, which the store may turn where no file does.
func (r *reader) filtering(s *policy.State) read {
	off := r.either(&s.FilteringOff, "off", "on")
	return func(what string, n *yaml.Node) {
		s.FilteringAt = r.at(n)
		off(what, n)
	}
}

// whole remembers the items of which some part could not be read.
func (r *reader) whole(c *Config, item func(n *yaml.Node)) func(n *yaml.Node) {
	return func(n *yaml.Node) {
		before := len(r.found)
		item(n)
		if len(r.found) > before {
			c.broken = append(c.broken, r.at(n))
		}
	}
}
