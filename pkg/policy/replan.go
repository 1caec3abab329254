package policy

// records are a plan's: first each endpoint's, then the joints'.
func (p *planner) records(m *matching) Records {
	if p.last == nil || !p.sameBase() {
		return p.allRecords(m)
	}
	e := p.last.Plan.Records.edit()
	touched := p.touched()
	for number := range touched {
		e.set(number, p.record(p.t.State.Endpoints[number-1]))
	}
	for joint := range m.jointsOf(touched) {
		e.set(m.jointRecord(joint), p.joint(e.Records, m.joints[joint]))
	}
	return e.Records
}

func (p *planner) allRecords(m *matching) Records {
	var before Records
	if p.last != nil {
		before = p.last.Plan.Records // as many, and perhaps the same
	}
	e := before.edit()
	for i, ep := range p.t.State.Endpoints {
		e.set(i+1, p.record(ep))
	}
	for joint, members := range m.joints {
		e.set(m.jointRecord(joint), p.joint(e.Records, members))
	}
	return e.Records
}

// sameBase reports whether all that records go by is as it was, but for the
// matching and the tenants. (A tenant in monitor leaves others' records alone.)
func (p *planner) sameBase() bool {
	t, last := p.t, p.last
	s, was := t.State, last.State
	return s.Mode == was.Mode && s.Unlisted == was.Unlisted && s.FilteringOff == was.FilteringOff &&
		t.system == last.system && t.own == last.own
}

// touched are the records of the endpoints that serve a tenant which changed.
func (p *planner) touched() map[int]bool {
	touched := map[int]bool{}
	for c := range p.t.tenants.Since(p.last.tenants) {
		for _, number := range p.t.roster.serving(c.Name) {
			touched[number] = true
		}
	}
	return touched
}
