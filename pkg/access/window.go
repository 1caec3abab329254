package access

import (
	"sync"
	"time"
)

// windows count events by subject, each in windows of one length that begin with
// their first event. The zero value is ready.
//
// Memory is bounded: there are two generations of subjects, and when the younger
// is full, or a window old, the elder is forgotten. What is forgotten for its age
// was over anyway.
type windows[K comparable] struct {
	mu     sync.Mutex
	young  map[K]window
	old    map[K]window
	turned time.Time // when young began
}

// window is how many events there were, and until when they count.
type window struct {
	count int
	until time.Time
}

// bounds are how long a window is, and how many subjects a generation has.
type bounds struct {
	length   time.Duration
	subjects int
}

// at is a subject's window at time now, an empty one where it has none.
func (w *windows[K]) at(k K, now time.Time) window {
	is, ok := w.young[k]
	if !ok {
		is = w.old[k]
	}
	if !now.Before(is.until) {
		return window{}
	}
	return is
}

// count adds an event to a subject's window, and returns it.
func (w *windows[K]) count(k K, now time.Time, b bounds) window {
	is := w.at(k, now)
	if is.count == 0 {
		is.until = now.Add(b.length)
	}
	is.count++
	_, known := w.young[k]
	if full := !known && len(w.young) >= b.subjects; w.young == nil || full || now.Sub(w.turned) >= b.length {
		w.old, w.young, w.turned = w.young, map[K]window{}, now
	}
	w.young[k] = is
	return is
}
