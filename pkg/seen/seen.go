// Package seen remembers who came to each endpoint lately, so that a change can
// be tried on them before it is made.
//
// It remembers a number of sources for each endpoint and a number in all. Where
// an endpoint has more, the one that came longest ago is forgotten; where all
// together have, it is the oldest of the endpoint that was longest without any.
package seen

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// Verdict is what became of a source.
type Verdict uint8

// The verdicts.
const (
	Allow     Verdict = iota
	Deny              // refused
	WouldDeny         // let through because something only monitors
)

func (v Verdict) String() string { return [...]string{"allow", "deny", "would-deny"}[v] }

// Source is an address that came to an endpoint.
type Source struct {
	Addr    netip.Addr
	Last    time.Time
	Verdict Verdict // of the last time
}

// Config bounds what is remembered.
type Config struct {
	Each  int // sources of an endpoint; 0: 10,000
	Total int // sources of all; 0: 262,144, of some 150 bytes each, taken as they come
}

// Seen is what is remembered. Its methods may be called from several goroutines.
type Seen struct {
	each, total int

	mu        sync.Mutex
	visits    []visit // by number; 0 is none
	free      int32   // visits that are free again, chained by older
	at        map[key]int32
	endpoints map[string]*endpoint
	recent    *list.List // of endpoints, the one with the latest visit first
}

type key struct {
	of   *endpoint
	addr netip.Addr
}

// endpoint is a chain of visits.
type endpoint struct {
	name           string
	newest, oldest int32
	count          int
	place          *list.Element
}

type visit struct {
	addr         netip.Addr
	last         int64
	newer, older int32 // of the same endpoint
	verdict      Verdict
}

// New is a Seen that has seen nobody.
func New(c Config) *Seen {
	if c.Each == 0 {
		c.Each = 10_000
	}
	if c.Total == 0 {
		c.Total = 1 << 18
	}
	return &Seen{
		each: c.Each, total: c.Total,
		visits: make([]visit, 1), at: map[key]int32{}, endpoints: map[string]*endpoint{}, recent: list.New(),
	}
}

// Add remembers that a source came to an endpoint.
func (s *Seen) Add(name string, source netip.Addr, v Verdict, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.endpoint(name)
	s.recent.MoveToFront(e.place)
	k := key{e, source}
	n, known := s.at[k]
	if known {
		s.unchain(e, n)
	} else {
		n = s.room(e)
		s.at[k] = n
	}
	s.visits[n] = visit{addr: source, last: now.UnixNano(), verdict: v}
	s.chain(e, n)
}

// Sources are the last to come to an endpoint, the latest first.
func (s *Seen) Sources(name string) []Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.endpoints[name]
	if e == nil {
		return nil
	}
	sources := make([]Source, 0, e.count)
	for n := e.newest; n != 0; n = s.visits[n].older {
		v := &s.visits[n]
		sources = append(sources, Source{v.addr, time.Unix(0, v.last), v.verdict})
	}
	return sources
}

func (s *Seen) endpoint(name string) *endpoint {
	e := s.endpoints[name]
	if e == nil {
		e = &endpoint{name: name}
		e.place = s.recent.PushFront(e)
		s.endpoints[name] = e
	}
	return e
}

// room is the number of a visit that is free, or was the one to forget.
func (s *Seen) room(e *endpoint) int32 {
	switch {
	case e.count == s.each:
		s.forget(e)
	case len(s.at) >= s.total:
		s.forgetStale(e)
	}
	if n := s.free; n != 0 {
		s.free = s.visits[n].older
		return n
	}
	s.visits = append(s.visits, visit{})
	return int32(len(s.visits) - 1)
}
