package policy

import (
	"net/netip"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/addr"
)

// compiledList is a list at a moment: its index for Decide and its set for the
// kernel, both from the same live entries.
type compiledList struct {
	list      *List
	index     index
	set       *Set
	restricts bool      // holds an allow entry, in whatever state
	anyLive   bool      // holds an allow entry that is live
	until     time.Time // when a live entry ends; zero: never
}

// resourceLists are the lists at one scope: so few that a walk finds one faster
// than a hash, and 90,000 tenants have some each.
type resourceLists []resourceList

type resourceList struct {
	resource string
	*compiledList
}

// of is the list for a resource; nil where there is none.
func (ls resourceLists) of(resource string) *compiledList {
	for i := range ls {
		if ls[i].resource == resource {
			return ls[i].compiledList
		}
	}
	return nil
}

// judge is the law inside one list: deny wins, and once there is an allow entry
// of whatever state, only a live one admits.
func (c *compiledList) judge(a netip.Addr) (allow bool, r Reason, e *Entry) {
	l := c.index.find(a)
	if l != 0 {
		e = &c.list.Entries[l.entry()]
	}
	switch {
	case l < 0:
		return false, DenyEntry, e
	case l > 0:
		return true, Listed, e
	case !c.restricts:
		return true, Unrestricted, nil
	case !c.anyLive:
		return false, NobodyLive, nil
	}
	return false, NotListed, nil
}

// counts reports whether a list is one at all: an absent one, an empty one and
// one that is off restrict nothing.
func (l *List) counts() bool {
	return l != nil && l.State != ListOff && len(l.Entries) > 0
}

// current reports whether what was compiled before still holds at now.
func current(until, now time.Time) bool { return until.IsZero() || now.Before(until) }

// sooner is the earlier of two times where zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// listPart is a list, or only its deny entries: what a packet may still be held
// to where the allow entries are left to the gate.
type listPart struct {
	*List
	denials bool
}

func (l listPart) counts() bool {
	if !l.denials || !l.List.counts() {
		return l.List.counts()
	}
	return slices.ContainsFunc(l.Entries, func(e Entry) bool { return e.Action == Deny })
}

// list compiles l. It returns nil for a list that does not count.
func (c *Compiler) list(l listPart) *compiledList {
	if !l.counts() {
		return nil
	}
	old := c.lists[l]
	if old == nil || !current(old.until, c.now) {
		old = c.compile(l)
	}
	c.lists[l] = old
	return old
}

func (c *Compiler) compile(l listPart) *compiledList {
	cl := &compiledList{list: l.List}
	for i := range l.Entries {
		e := &l.Entries[i]
		if l.denials && e.Action == Allow {
			continue
		}
		cl.restricts = cl.restricts || e.Action == Allow
		if !e.Live(c.now) {
			continue
		}
		cl.anyLive = cl.anyLive || e.Action == Allow
		cl.until = sooner(cl.until, e.Expires)
		r := e.Range
		if c.state.Unmap {
			r = addr.Unmap(r)
		}
		c.sweeper.add(r, i, e.Action)
	}
	cl.index = c.sweeper.index()
	cl.set = c.sets.intern(cl.index.set(cl.restricts))
	cl.index.share(cl.set)
	return cl
}
