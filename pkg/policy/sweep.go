package policy

import (
	"slices"

	"github.com/postern-io/postern/pkg/addr"
)

// sweeper makes an index of entries' ranges. It keeps its buffers from one list
// to the next.
type sweeper struct {
	v4, v6 []span
	cuts   []U128
	allow  active
	deny   active
	ends   []U128
	labels []label
}

// span is one live entry's range.
type span struct {
	from, to U128
	entry    int32
	deny     bool
}

func (w *sweeper) add(r addr.Range, entry int, action Action) {
	sp := span{ToU128(r.From()), ToU128(r.To()), int32(entry), action == Deny}
	if r.From().Is4() {
		w.v4 = append(w.v4, sp)
	} else {
		w.v6 = append(w.v6, sp)
	}
}

// index is the index of the ranges added since the last one.
func (w *sweeper) index() index {
	var x index
	if len(w.v4) > 0 {
		w.sweep(w.v4, lastIPv4)
		x.v4 = segments[uint32]{make([]uint32, len(w.ends)), slices.Clone(w.labels)}
		for i, end := range w.ends {
			x.v4.ends[i] = uint32(end.Lo)
		}
	}
	if len(w.v6) > 0 {
		w.sweep(w.v6, lastIPv6)
		x.v6 = segments[U128]{slices.Clip(slices.Clone(w.ends)), slices.Clone(w.labels)}
	}
	w.v4, w.v6 = w.v4[:0], w.v6[:0]
	return x
}

// sweep walks over every place where a span begins or has just ended, up to the
// family's last address. Where several entries hold, a deny speaks before an
// allow, and the first typed of a kind.
func (w *sweeper) sweep(spans []span, last U128) {
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	w.cut(spans, last)
	w.allow, w.deny = w.allow[:0], w.deny[:0]
	w.ends, w.labels = w.ends[:0], append(w.labels[:0], 0)
	for _, at := range w.cuts {
		for ; len(spans) > 0 && spans[0].from == at; spans = spans[1:] {
			if spans[0].deny {
				w.deny.push(spans[0])
			} else {
				w.allow.push(spans[0])
			}
		}
		w.mark(at, w.label(at))
	}
}

// cut finds the distinct places where the spans begin, or have just ended.
func (w *sweeper) cut(spans []span, last U128) {
	w.cuts = w.cuts[:0]
	for _, sp := range spans {
		w.cuts = append(w.cuts, sp.from)
		if sp.to != last {
			after, _ := sp.to.Next()
			w.cuts = append(w.cuts, after)
		}
	}
	slices.SortFunc(w.cuts, U128.Compare)
	w.cuts = slices.Compact(w.cuts)
}

// label is what holds at a cut.
func (w *sweeper) label(at U128) label {
	if sp, ok := w.deny.first(at); ok {
		return denyLabel(sp.entry)
	}
	if sp, ok := w.allow.first(at); ok {
		return allowLabel(sp.entry)
	}
	return 0
}

// mark gives what begins at a cut its label.
func (w *sweeper) mark(at U128, l label) {
	end, later := at.Prev()
	switch {
	case !later:
		w.labels[0] = l
	case l != w.labels[len(w.labels)-1]:
		w.ends, w.labels = append(w.ends, end), append(w.labels, l)
	}
}

// active is a heap of the spans that hold, the first typed on top; one that has
// ended leaves when it comes to the top.
type active []span

func (h *active) push(sp span) {
	*h = append(*h, sp)
	s := *h
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if s[parent].entry <= s[i].entry {
			return
		}
		s[i], s[parent] = s[parent], s[i]
		i = parent
	}
}

func (h *active) first(at U128) (span, bool) {
	for len(*h) > 0 {
		if top := (*h)[0]; top.to.Compare(at) >= 0 {
			return top, true
		}
		h.pop()
	}
	return span{}, false
}

func (h *active) pop() {
	s := *h
	n := len(s) - 1
	s[0] = s[n]
	s = s[:n]
	*h = s
	for i := 0; ; {
		child := 2*i + 1
		if child+1 < n && s[child+1].entry < s[child].entry {
			child++
		}
		if child >= n || s[i].entry <= s[child].entry {
			return
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
}
