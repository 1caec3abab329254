package control

import (
	"context"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// Explanation is the law's answer to a question, and what it was answered from.
type Explanation struct {
	policy.Verdict
	Query policy.Query
	Table *policy.Table
	// Withheld says that the list which spoke is not the caller's to know: its
	// scope is told, it itself is not.
	Withheld bool
}

// Question asks whether an address may pass. Address, endpoint and the rest are as
// in a policy.Query, the endpoint by its name.
type Question struct {
	policy.Query        // without Endpoint
	At           string // the endpoint's name; "": the lists alone
}

// Explain answers a question from what is in force.
func (s *Service) Explain(c *Call, q Question) (*Explanation, error) {
	x, err := s.explain(c, q, s.Table())
	return x, s.unread(c, "explain", q.names(), err)
}

// ExplainProposed answers a question from what changes would make of it.
func (s *Service) ExplainProposed(ctx context.Context, c *Call, q Question, changes ...Change) (*Explanation, error) {
	x, err := s.explainProposed(ctx, c, q, changes)
	return x, s.unread(c, "explain", append(names(changes), q.names()...), err)
}

func (s *Service) explainProposed(ctx context.Context, c *Call, q Question, changes []Change) (*Explanation, error) {
	if len(changes) == 0 {
		return s.explain(c, q, s.Table())
	}
	if err := s.explainable(c, q); err != nil {
		return nil, err
	}
	result, _, err := s.propose(ctx, c, changes)
	if err != nil {
		return nil, err
	}
	return s.explain(c, q, result.After)
}

func (s *Service) explain(c *Call, q Question, t *policy.Table) (*Explanation, error) {
	if err := s.explainable(c, q); err != nil {
		return nil, err
	}
	if q.At != "" {
		ep := t.State.Endpoint(q.At)
		if ep == nil || !ep.Serves(q.Tenant) && !c.who().May(access.ReadEndpoints, ofEndpoint(q.At)) {
			return nil, &policy.Unknown{What: "endpoint", Name: q.At}
		}
		q.Endpoint = c.view(ep, q.Tenant)
		q.TruePeer = ep.Client.Source == policy.Peer
	}
	x := &Explanation{Verdict: t.Decide(q.Query), Query: q.Query, Table: t}
	if x.List != nil && c.lacks(t, listNeeds(x.Place(q.Endpoint), false)...) != nil {
		x.Withheld, x.List, x.Entry = true, nil, nil
	}
	return x, nil
}

// explainable refuses a question that the caller may not ask, and only then one that
// names a resource there is not: the remedy names those there are.
func (s *Service) explainable(c *Call, q Question) error {
	if err := c.lacks(s.Table(), q.need()); err != nil {
		return err
	}
	state, err := s.state()
	if err != nil {
		return err
	}
	known := append(state.KnownResources(), policy.AnyResource)
	if q.Resource == "" || slices.Contains(known, q.Resource) {
		return nil
	}
	r := refuse(Invalid, "there is no resource %q", q.Resource)
	r.Mistakes = []Mistake{{Path: "resource", What: r.What, Remedy: "write one of " + strings.Join(known, " ")}}
	return r
}

// view is an endpoint as far as it is the caller's: to who may not read it, it serves
// the tenant that is asked about and no other. Whom its packets pass for another's
// sake is that other's.
func (c *Call) view(ep *policy.Endpoint, tenant string) *policy.Endpoint {
	if tenant == "" || c.sees(ep) {
		return ep
	}
	own := *ep
	own.AllTenants, own.Tenants = false, []string{tenant}
	return &own
}

// need is the right to ask: that to read the innermost list the answer may come
// from.
func (q *Question) need() need {
	switch {
	case q.Tenant == "":
		return need{access.ReadLists, whole}
	case q.User == "":
		return need{access.ReadLists, ofTenant(q.Tenant)}
	}
	t := ofUser(q.Tenant, q.User)
	t.Resource = q.Resource
	return need{access.ReadLists, t}
}

func (q *Question) names() []string {
	switch {
	case q.Tenant != "":
		return []string{"tenants/" + q.Tenant}
	case q.At != "":
		return []string{"endpoints/" + q.At}
	}
	return nil
}
