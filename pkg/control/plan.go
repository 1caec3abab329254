package control

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// Plan is what changes would do.
type Plan struct {
	Result
	Refusals  []*Refusal      // what the guard would refuse
	Endpoints []EndpointDelta // of whose sources some would be judged otherwise
}

// EndpointDelta is what changes mean to the sources last seen at an endpoint.
type EndpointDelta struct {
	Endpoint string
	Enforced bool // verdicts are carried out there
	Seen     int
	ShutOut  Sources
	LetIn    Sources
}

// Sources are addresses: how many, and the first of them.
type Sources struct {
	Count int
	First []netip.Addr
}

// most is how many sources are told one by one.
const most = 100

func (s *Sources) add(a netip.Addr) {
	s.Count++
	if len(s.First) < most {
		s.First = append(s.First, a)
	}
}

// Plan says what changes would do, and does nothing. It takes the rights to read
// what they change, for tenants' records those to write them too, and what a guard
// would refuse is told.
func (s *Service) Plan(ctx context.Context, c *Call, changes ...Change) (*Plan, error) {
	p, err := s.plan(ctx, c, changes)
	return p, s.unread(c, "plan", names(changes), err)
}

func (s *Service) plan(ctx context.Context, c *Call, changes []Change) (*Plan, error) {
	if len(changes) == 0 {
		return &Plan{Result: *s.unchanged()}, nil
	}
	before := s.Table()
	result, w, err := s.propose(ctx, c, changes)
	if err != nil {
		return nil, err
	}
	p := &Plan{Result: *result, Refusals: w.refusals(c)}
	if s.cfg.Seen == nil || before == nil {
		return p, nil
	}
	for _, ep := range result.After.State.Endpoints {
		was := before.State.Endpoint(ep.Name)
		if was == nil || !c.sees(ep) || !concerns(ep, was, result.Names) {
			continue
		}
		if d := s.delta(before, result.After, was, ep); d.ShutOut.Count+d.LetIn.Count > 0 {
			p.Endpoints = append(p.Endpoints, d)
		}
	}
	return p, nil
}

// propose tries changes out, for who may read what they change.
func (s *Service) propose(ctx context.Context, c *Call, changes []Change) (*Result, *writing, error) {
	if err := c.lacks(s.Table(), needsOf(changes, func(ch Change) []need { return ch.reads })...); err != nil {
		return nil, nil, err
	}
	dry := *c
	dry.DryRun, dry.Force, dry.Confirm = true, true, 0
	w := &writing{Service: s, call: &dry, changes: changes}
	result, err := w.run(ctx)
	return result, w, err
}

// sees reports whether the caller may know who comes to an endpoint: one that
// serves others as well is staff's.
func (c *Call) sees(ep *policy.Endpoint) bool {
	if c.who().May(access.ReadEndpoints, ofEndpoint(ep.Name)) {
		return true
	}
	return len(ep.Tenants) == 1 && !ep.AllTenants && c.who().May(access.ReadEndpoints, ofTenant(ep.Tenants[0]))
}

// concerns reports whether a change of these records can change a verdict at an
// endpoint.
func concerns(ep, was *policy.Endpoint, names []string) bool {
	return ep != was || slices.ContainsFunc(names, func(name string) bool {
		tenant, ok := strings.CutPrefix(name, "tenants/")
		tenant, _, _ = strings.Cut(tenant, "/")
		return !ok || ep.Serves(tenant)
	})
}

func (s *Service) delta(before, after *policy.Table, was, is *policy.Endpoint) EndpointDelta {
	d := EndpointDelta{Endpoint: is.Name, Enforced: after.Mode(is) == policy.Enforce}
	for _, a := range s.cfg.Seen(is.Name) {
		d.Seen++
		switch then, now := admits(before, was, a), admits(after, is, a); {
		case then && !now:
			d.ShutOut.add(a)
		case !then && now:
			d.LetIn.add(a)
		}
	}
	return d
}

// admits is the law's answer as far as an address alone can have one: the
// packet's where packets are refused, the request's where the gate answers.
func admits(t *policy.Table, ep *policy.Endpoint, a netip.Addr) bool {
	if ep.JudgesPackets() {
		return t.DecidePacket(ep, a).Allow
	}
	return t.Decide(policy.Query{Endpoint: ep, Addr: a}).Allow
}
