package api

import (
	"sync"
	"sync/atomic"
	"time"
)

// Event is one refusal, by the kernel or by the gate.
type Event struct {
	Time            time.Time `json:"time"`
	Where           string    `json:"where"`   // kernel or gate
	Verdict         string    `json:"verdict"` // deny, or would-deny where something only monitors
	Reason          string    `json:"reason"`
	Source          string    `json:"source,omitempty"` // the address judged
	SourcePort      uint16    `json:"sourcePort,omitempty"`
	Destination     string    `json:"destination,omitempty"`
	DestinationPort uint16    `json:"destinationPort,omitempty"`
	Protocol        string    `json:"protocol,omitempty"`
	Interface       string    `json:"interface,omitempty"`
	Endpoint        string    `json:"endpoint,omitempty"`
	Tenant          string    `json:"tenant,omitempty"`
	Trace           string    `json:"trace,omitempty"` // as the refused client was told
	// Suppressed are the refusals before this one that were counted and not told.
	Suppressed uint64 `json:"suppressed,omitempty"`
}

// Feed hands events to whoever listens. Publishing never waits: a listener that
// is too slow loses events, and learns how many. The zero Feed is ready.
type Feed struct {
	mu        sync.Mutex
	listeners map[*listener]struct{}
	lost      atomic.Uint64
}

// listenerRoom is how many events a listener may lag behind: a burst, not a flood.
const listenerRoom = 1024

type listener struct {
	events chan Event
	lost   uint64 // since the last event that found room; under Feed.mu
}

// Publish gives e to every listener that has room.
func (f *Feed) Publish(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.listeners {
		told := e
		told.Suppressed += l.lost
		select {
		case l.events <- told:
			l.lost = 0
		default:
			l.lost = told.Suppressed + 1
			f.lost.Add(1)
		}
	}
}

// Lost is how many events listeners were too slow for.
func (f *Feed) Lost() uint64 { return f.lost.Load() }

func (f *Feed) listen() *listener {
	l := &listener{events: make(chan Event, listenerRoom)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listeners == nil {
		f.listeners = make(map[*listener]struct{})
	}
	f.listeners[l] = struct{}{}
	return l
}

func (f *Feed) leave(l *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.listeners, l)
}
