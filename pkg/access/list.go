package access

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Query says which keys to list.
type Query struct {
	Name       string          // with % for any text; "": all
	Where      func(*Key) bool // nil: all
	Order      Order
	Descending bool
	Page       int // from 0
	Size       int // 0: all on one page
}

// Order is what keys are listed by. Equals go by name, and names differ.
type Order uint8

const (
	ByName Order = iota
	ByCreated
	ByUpdated
	ByExpires // those that never do come last
	ByStatus
	ByType
)

// List is a page of the keys that a query finds, and how many it finds in all.
func (r *Keyring) List(q Query) (page []*Key, total int) {
	var found []*Key
	for _, k := range r.held.Load().byID.All() {
		if (q.Name == "" || like(k.Name, q.Name)) && (q.Where == nil || q.Where(k)) {
			found = append(found, k)
		}
	}
	slices.SortFunc(found, q.compare)
	return q.page(found), len(found)
}

func (q *Query) compare(a, b *Key) int {
	order := cmp.Or(q.Order.compare(a, b), strings.Compare(a.Name, b.Name))
	if q.Descending {
		return -order
	}
	return order
}

func (o Order) compare(a, b *Key) int {
	switch o {
	case ByCreated:
		return a.Created.Compare(b.Created)
	case ByUpdated:
		return a.Updated.Compare(b.Updated)
	case ByExpires:
		return compareEnds(a.Expires, b.Expires)
	case ByStatus:
		return cmp.Compare(a.Status, b.Status)
	case ByType:
		return cmp.Compare(a.Type, b.Type)
	}
	return 0
}

func compareEnds(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

func (q *Query) page(found []*Key) []*Key {
	if q.Size <= 0 {
		return found
	}
	if q.Page < 0 || q.Page > len(found)/q.Size {
		return nil
	}
	first := q.Page * q.Size
	return found[first : min(len(found)-first, q.Size)+first]
}

// like reports whether a name is of a pattern's form, where % is any text. Each
// piece between two % is best taken where it comes first, so one pass will do.
func like(name, pattern string) bool {
	pieces := strings.Split(pattern, "%")
	if len(pieces) == 1 {
		return name == pattern
	}
	rest, ok := strings.CutPrefix(name, pieces[0])
	if !ok {
		return false
	}
	last := len(pieces) - 1
	for _, piece := range pieces[1:last] {
		if _, rest, ok = strings.Cut(rest, piece); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, pieces[last])
}
