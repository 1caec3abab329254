package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Check finds what makes a State meaningless: nothing is compiled from one that
// has errors. What is legal but unlikely to be meant is Lint's.
func (s *State) Check() Problems { return s.checkSince(&State{}) }

// checkSince is Check of a State that follows one without errors: what both have
// in common is not looked at again.
func (s *State) checkSince(before *State) Problems {
	if !slices.Equal(s.Resources, before.Resources) {
		before = &State{} // every list and endpoint goes by them
	}
	c := checker{resources: s.KnownResources()}
	for _, name := range s.Resources {
		c.id(Pos{}, "resource", name)
		if slices.Contains(BuiltinResources, name) {
			c.errorf(Pos{}, "remove it", "resource %s is built in", name)
		}
	}
	c.failsafes(s.Failsafe)
	c.lists(s.System)
	for t := range s.Tenants.Since(before.Tenants) {
		if t.After != nil {
			c.tenant(t.After)
		}
	}
	if !s.sameHosts(before) {
		c.hosts(s.Tenants)
	}
	if !same(s.Endpoints, before.Endpoints) {
		c.endpoints(s.Endpoints)
	}
	c.found.Sort()
	return c.found
}

type checker struct {
	found     Problems
	resources []string
}

func (c *checker) errorf(pos Pos, remedy, format string, args ...any) {
	c.found = append(c.found, Problem{Pos: pos, What: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (c *checker) id(pos Pos, what, id string) {
	if !ValidID(id) {
		c.errorf(pos, "use letters, digits and . _ -, at most 64, a letter or digit first", "%s %q is no id", what, id)
	}
}

// ValidID reports whether id may name a tenant, user, project or service:
// [A-Za-z0-9][A-Za-z0-9._-]{0,63}. It is by hand: there are 90,000 at a time.
func ValidID(id string) bool {
	if id == "" || len(id) > 64 || strings.IndexByte("._-", id[0]) >= 0 {
		return false
	}
	for i := range len(id) {
		b := id[i]
		letter := 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
		if !letter && (b < '0' || b > '9') && b != '.' && b != '_' && b != '-' {
			return false
		}
	}
	return true
}

func (c *checker) resource(pos Pos, what, name string) {
	if name == AnyResource || slices.Contains(c.resources, name) {
		return
	}
	remedy := "declare it under resources"
	if near := Nearest(name, c.resources); near != "" {
		remedy = fmt.Sprintf("did you mean %s?", near)
	}
	c.errorf(pos, remedy, "%s %q is unknown", what, name)
}

func (c *checker) lists(byResource map[string]*List) {
	for name, l := range byResource {
		c.resource(l.Pos, "resource", name)
		c.comments(l)
	}
}

// comments are bounded, whoever writes them: a list's are kept in memory, and in
// every revision.
func (c *checker) comments(l *List) {
	for e := range l.each() {
		c.length(e.Pos, "comment", e.Comment, MaxComment)
	}
}

func (c *checker) length(pos Pos, what, text string, most int) {
	if len(text) <= most {
		return // bytes: few are longer, and there may be a million
	}
	if n := utf8.RuneCountInString(text); n > most {
		c.errorf(pos, fmt.Sprintf("use at most %d", most), "%s has %d characters", what, n)
	}
}

func (c *checker) tenant(t *Tenant) {
	c.id(t.Pos, "tenant", t.ID)
	c.length(t.Pos, "name", t.Name, MaxName)
	for _, name := range t.Names {
		c.length(t.Pos, "name", name, MaxName)
	}
	for _, host := range t.Hosts {
		c.host(t, host)
	}
	c.lists(t.Lists)
	for user, lists := range t.Users {
		c.id(t.Pos, "user", user)
		c.lists(lists)
	}
}

// host holds a name to the form in which it is looked up: in another it would lead
// nowhere, and could not be told from another tenant's.
func (c *checker) host(t *Tenant, host string) {
	switch is, err := CanonicalHost(host); {
	case err != nil:
		c.errorf(t.Pos, "", "tenant %s: %s", t.ID, err)
	case is != host:
		c.errorf(t.Pos, "write "+is, "tenant %s: host %q is never looked up so", t.ID, host)
	}
}

func (c *checker) failsafes(all []Failsafe) {
	for _, f := range all {
		switch {
		case f.Protocol == AnyProtocol:
			c.errorf(f.Pos, "write tcp or udp", "failsafe: protocol any")
		case len(f.Ports) == 0:
			c.errorf(f.Pos, "name the ports", "failsafe without ports")
		case len(f.From) == 0:
			c.errorf(f.Pos, "name them under from", "failsafe without sources")
		}
	}
}
