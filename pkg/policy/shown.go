package policy

import (
	"slices"
	"time"

	"go4.org/netipx"

	"github.com/postern-io/postern/pkg/addr"
)

// Hidden counts the entries of a list that a dialect does not show.
type Hidden struct{ Deny, Disabled, Expired int }

// Shown are the entries a dialect shows: live, and allowing unless it shows
// denials too, in order.
func (l *List) Shown(denies bool, now time.Time) ([]Entry, Hidden) {
	var shown []Entry
	var hidden Hidden
	if l == nil {
		return nil, hidden
	}
	for i := range l.Entries {
		switch e := &l.Entries[i]; {
		case e.Action == Deny && !denies:
			hidden.Deny++
		case e.Disabled:
			hidden.Disabled++
		case !e.Live(now):
			hidden.Expired++
		default:
			shown = append(shown, *e)
		}
	}
	return shown, hidden
}

func (e *Entry) shown(denies bool, now time.Time) bool {
	return (denies || e.Action == Allow) && e.Live(now)
}

// ReplaceShown is old with other live allow entries: all that a dialect can see
// of a list, and therefore all that it replaces. An entry for the same addresses
// as one it takes the place of keeps that one's comment, expiry and author; a
// new one is by stamp. Where nothing changes it is old itself.
func ReplaceShown(old *List, entries []Entry, now time.Time, stamp *Stamp) *List {
	return replaceShown(old, entries, false, now, stamp)
}

// ReplaceShownPrefixes is ReplaceShown for a dialect that shows denials too, and
// ranges as the prefixes they split into: a range of which every prefix comes
// back stays the one entry it was.
func ReplaceShownPrefixes(old *List, entries []Entry, now time.Time, stamp *Stamp) *List {
	return replaceShown(old, rejoin(old, entries, now), true, now, stamp)
}

func replaceShown(old *List, entries []Entry, denies bool, now time.Time, stamp *Stamp) *List {
	next := &List{Entries: make([]Entry, 0, len(entries))}
	if old == nil {
		old = &List{}
	}
	next.State, next.Owner, next.Pos = old.State, old.Owner, old.Pos
	known := old.known(denies, now)
	fresh := make([]Entry, len(entries))
	for i, e := range entries {
		fresh[i] = known.take(e, stamp)
	}
	for i := range old.Entries { // in the places of those it replaces, so that what is hidden stays where it is
		switch e := &old.Entries[i]; {
		case !e.shown(denies, now):
			next.Entries = append(next.Entries, *e)
		case len(fresh) > 0:
			next.Entries, fresh = append(next.Entries, fresh[0]), fresh[1:]
		}
	}
	next.Entries = append(next.Entries, fresh...)
	if slices.Equal(next.Entries, old.Entries) {
		return old
	}
	return next
}

// judged is what of an entry makes it the same entry, however it is spelled.
type judged struct {
	addr.Range
	Action
}

func (e *Entry) judged() judged { return judged{e.Range, e.Action} }

// knownEntries are a list's shown entries by what they judge, each to be taken
// once.
type knownEntries map[judged][]*Entry

func (l *List) known(denies bool, now time.Time) knownEntries {
	known := knownEntries{}
	for i := range l.Entries {
		if e := &l.Entries[i]; e.shown(denies, now) {
			known[e.judged()] = append(known[e.judged()], e)
		}
	}
	return known
}

// take is e with what was known of it.
func (k knownEntries) take(e Entry, stamp *Stamp) Entry {
	was := k[e.judged()]
	if len(was) == 0 {
		e.By = stamp
		return e
	}
	k[e.judged()] = was[1:]
	kept := *was[0]
	kept.Text = e.Text
	return kept
}

// rejoin puts a range of old in the place of its prefixes.
func rejoin(old *List, entries []Entry, now time.Time) []Entry {
	if old == nil {
		return entries
	}
	at := make(map[judged]int, len(entries)) // 1 and more: where among the entries
	for i := len(entries) - 1; i >= 0; i-- {
		at[entries[i].judged()] = i + 1
	}
	whole := map[int]*Entry{}
	gone := make([]bool, len(entries))
	for i := range old.Entries {
		e := &old.Entries[i]
		if _, single := e.Range.Prefix(); single || !e.shown(true, now) {
			continue
		}
		parts := e.places(at)
		for _, p := range parts {
			gone[p] = true
		}
		if len(parts) > 0 {
			whole[slices.Min(parts)] = e
		}
	}
	joined := make([]Entry, 0, len(entries))
	for i, e := range entries {
		switch {
		case whole[i] != nil:
			joined = append(joined, *whole[i])
		case !gone[i]:
			joined = append(joined, e)
		}
	}
	return joined
}

// places are where e's prefixes stand, which are no other's from then on; none
// where one is missing.
func (e *Entry) places(at map[judged]int) []int {
	var found []int
	prefixes := e.Range.Prefixes()
	for _, p := range prefixes {
		i := at[judged{netipx.RangeOfPrefix(p), e.Action}]
		if i == 0 {
			return nil
		}
		found = append(found, i-1)
	}
	for _, p := range prefixes {
		delete(at, judged{netipx.RangeOfPrefix(p), e.Action})
	}
	return found
}
