package api

import (
	"net/http"
	"net/netip"
	"strconv"

	"github.com/postern-io/postern/pkg/api/body"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// Explain says whether an address may pass, and why.
func (n *native) Explain(w http.ResponseWriter, r *http.Request) {
	var p v1.ExplainParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		asked := Question{p.Address, value(p.Endpoint), value(p.Tenant), value(p.User), value(p.Resource)}
		question, err := asked.query()
		if err != nil {
			return nil, err
		}
		x, err := n.Control.Explain(q.call, question)
		if err != nil {
			return nil, err
		}
		return explained(asked, x), nil
	})
}

// ExplainProposed says whether an address would pass if lists were changed.
func (n *native) ExplainProposed(w http.ResponseWriter, r *http.Request) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		var asked Question
		var p proposal
		err := q.body(body.Object(body.Fields{
			"address": body.Text(&asked.Address), "endpoint": body.Text(&asked.Endpoint),
			"tenant": body.Text(&asked.Tenant), "user": body.Text(&asked.User), "resource": body.Text(&asked.Resource),
			"proposal": p.shape(),
		}, "address", "proposal"))
		if err != nil {
			return nil, err
		}
		question, err := asked.query()
		if err != nil {
			return nil, err
		}
		x, err := n.Control.ExplainProposed(r.Context(), q.call, question, p.all()...)
		if err != nil {
			return nil, err
		}
		return explained(asked, x), nil
	})
}

// query is what the control plane is asked; all that is wrong with it in itself
// is told. Whether there is what it names is told by who knows whether the caller
// may ask.
func (q Question) query() (control.Question, error) {
	var found mistaken
	addr, err := netip.ParseAddr(q.Address)
	if err != nil || addr.Zone() != "" {
		found = append(found, v1.Mistake{Path: "address", What: strconv.Quote(q.Address) + " is not one IPv4 or IPv6 address"})
	}
	if q.User != "" && q.Tenant == "" {
		found = append(found, v1.Mistake{Path: "user", What: "a user belongs to a tenant", Remedy: "name the tenant"})
	}
	if found != nil {
		return control.Question{}, found
	}
	return control.Question{
		Query: policy.Query{Tenant: q.Tenant, User: q.User, Resource: q.Resource, Addr: addr}, At: q.Endpoint,
	}, nil
}

// explained is the answer, without what the caller may not know of it.
func explained(q Question, x *control.Explanation) Explanation {
	told := explanation(q, x.Query.Addr, x.Verdict)
	if ep := x.Query.Endpoint; ep != nil {
		told.Where = where(x.Table, ep, x.Query.Addr, x.Verdict)
		told.Enforced = told.Enforced && told.Where != nowhere
	}
	if x.Withheld && q.Tenant == "" {
		told.Tenant = ""
	}
	return told
}
