package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/addr"
)

// list looks at one list by itself, and returns what its live allow entries
// admit, as an aggregate.
func (l *linter) list(name string, list *List) []addr.Range {
	var allows, denies []*Entry
	restricts, unread := false, false
	for i := range list.Entries {
		e := &list.Entries[i]
		restricts = restricts || e.Action == Allow
		switch {
		case !e.Range.IsValid():
			unread = true
			continue
		case e.Disabled:
		case !e.Live(l.now):
			l.warnf(e.Pos, "", "%s is over since %s", e.Text, e.Expires.Format(time.RFC3339))
		case e.Action == Allow:
			allows = append(allows, e)
		default:
			denies = append(denies, e)
		}
		l.entry(e)
	}
	l.sortByRange(allows)
	l.sortByRange(denies)
	l.redundant(allows)
	l.redundant(denies)
	l.denied(allows, denies)
	if restricts && !unread && len(allows) == 0 && list.State != ListOff {
		l.warnf(list.Pos, "", "%s admits nobody: none of its allow entries is live", name)
	}
	admitted := addr.Aggregate(l.live(list, Allow))
	if restricts {
		l.idle(denies, admitted)
	}
	return admitted
}

// entry looks at one entry by itself.
func (l *linter) entry(e *Entry) {
	r := l.rangeOf(e)
	if p, ok := r.Prefix(); ok && p.Bits() == 0 {
		verb := "allows"
		if e.Action == Deny {
			verb = "denies"
		}
		l.warnf(e.Pos, "", "%s %s every %s address", e.Text, verb, familyOf(p))
	}
	if !strings.HasPrefix(strings.ToLower(e.Text), "::ffff:") || r.From().Is4() {
		return
	}
	if r.From().Is4In6() {
		l.warnf(e.Pos, "write it as IPv4, or set mapped: unmap", "%s is IPv4-mapped: it matches only forwarded text, no packet", e.Text)
		return
	}
	l.warnf(e.Pos, "write a prefix length of 96 or more", "%s is far wider than IPv4-mapped addresses", e.Text)
}

// line says where e stands; "" for an entry that stands in no file.
func (e *Entry) line(before string) string {
	if e.Pos.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%sline %d", before, e.Pos.Line)
}

func familyOf(p netip.Prefix) string {
	if p.Addr().Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// sortByRange puts a range before those inside it, and keeps equal ones in the
// order they were written.
func (l *linter) sortByRange(es []*Entry) {
	slices.SortStableFunc(es, func(a, b *Entry) int {
		ra, rb := l.rangeOf(a), l.rangeOf(b)
		return cmp.Or(ra.From().Compare(rb.From()), rb.To().Compare(ra.To()))
	})
}

// redundant finds entries of one action that another makes superfluous.
func (l *linter) redundant(sorted []*Entry) {
	var wide farthest
	var first *Entry // of those with one range
	for _, e := range sorted {
		switch outer := wide.around(l, e); {
		case first != nil && l.rangeOf(first) == l.rangeOf(e):
			l.warnf(e.Pos, "remove one of them", "%s stands %s already", e.Text, cmp.Or(first.line("in "), "there"))
			continue
		case outer != nil:
			l.warnf(e.Pos, "remove it", "%s lies inside %s%s", e.Text, outer.Text, outer.line(" of "))
		}
		first = e
		wide.add(l, e)
	}
}

// denied finds allow entries that lie inside a deny.
func (l *linter) denied(allows, denies []*Entry) {
	var wide farthest
	for _, e := range allows {
		for len(denies) > 0 && l.rangeOf(denies[0]).From().Compare(l.rangeOf(e).From()) <= 0 {
			wide.add(l, denies[0])
			denies = denies[1:]
		}
		if outer := wide.around(l, e); outer != nil {
			l.warnf(e.Pos, "", "%s admits nobody: %s denies %s", e.Text, cmp.Or(outer.line(""), "the list"), outer.Text)
		}
	}
}

// farthest is, of the entries so far in order of their first addresses, the one
// that ends last: if any holds the next entry, it does. One that expires makes
// no other superfluous, and one that holds everybody is a mistake of its own.
type farthest struct{ entry *Entry }

func (f *farthest) add(l *linter, e *Entry) {
	if p, ok := l.rangeOf(e).Prefix(); ok && p.Bits() == 0 {
		return
	}
	if e.Expires.IsZero() && (f.entry == nil || l.rangeOf(f.entry).To().Less(l.rangeOf(e).To())) {
		f.entry = e
	}
}

func (f *farthest) around(l *linter, e *Entry) *Entry {
	if f.entry == nil || l.rangeOf(f.entry).To().Less(l.rangeOf(e).To()) {
		return nil
	}
	return f.entry
}

// idle finds deny entries that take nothing away from what is admitted.
func (l *linter) idle(denies []*Entry, admitted []addr.Range) {
	for _, e := range denies {
		if len(admitted) > 0 && !touches(admitted, l.rangeOf(e)) {
			l.warnf(e.Pos, "remove it", "%s denies nobody whom the list admits", e.Text)
		}
	}
}
