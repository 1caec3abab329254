package seen

// chain makes n the endpoint's latest visit.
func (s *Seen) chain(e *endpoint, n int32) {
	s.visits[n].newer, s.visits[n].older = 0, e.newest
	if e.newest == 0 {
		e.oldest = n
	} else {
		s.visits[e.newest].newer = n
	}
	e.newest = n
	e.count++
}

func (s *Seen) unchain(e *endpoint, n int32) {
	v := &s.visits[n]
	if v.newer == 0 {
		e.newest = v.older
	} else {
		s.visits[v.newer].older = v.older
	}
	if v.older == 0 {
		e.oldest = v.newer
	} else {
		s.visits[v.older].newer = v.newer
	}
	e.count--
}

// forget frees the endpoint's oldest visit.
func (s *Seen) forget(e *endpoint) {
	n := e.oldest
	s.unchain(e, n)
	delete(s.at, key{e, s.visits[n].addr})
	s.visits[n] = visit{older: s.free}
	s.free = n
}

// forgetStale frees a visit to the endpoint that was longest without any, and
// that with its last, unless it is the one that room is made for.
func (s *Seen) forgetStale(but *endpoint) {
	e := s.recent.Back().Value.(*endpoint)
	s.forget(e)
	if e.count == 0 && e != but {
		s.recent.Remove(e.place)
		delete(s.endpoints, e.name)
	}
}
