package api

import (
	"net/http"

	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// ListEndpoints tells the endpoints, and how many came to them.
func (n *native) ListEndpoints(w http.ResponseWriter, r *http.Request) {
	var p v1.ListEndpointsParams
	n.handle(w, r, &p, func(q *request) (any, error) {
		all, _, err := n.Control.Endpoints(q.call, control.Page{After: q.page.cursor})
		if err != nil {
			return nil, err
		}
		traffic, err := n.Runtime.Traffic()
		if err != nil {
			return nil, err
		}
		page := struct {
			Endpoints []Endpoint `json:"endpoints"`
			Next      string     `json:"next,omitempty"`
		}{Endpoints: []Endpoint{}}
		for _, ep := range all {
			if !grouped(p.Project, ep.Project) || !grouped(p.Service, ep.Service) {
				continue
			}
			if len(page.Endpoints) == q.page.limit {
				page.Next = q.more(page.Endpoints[q.page.limit-1].Name)
				break
			}
			page.Endpoints = append(page.Endpoints, describe(n.Control.Table(), ep, traffic[ep.Name]))
		}
		return page, nil
	})
}

// grouped reports whether a project or service is the one asked for.
func grouped(asked *v1.ID, is string) bool { return asked == nil || *asked == orDefault(is) }

// orDefault is a project or a service by its name.
func orDefault(name string) string {
	if name == "" {
		return "default"
	}
	return name
}

// GetEndpoint tells what was written of an endpoint, and what comes of it.
func (n *native) GetEndpoint(w http.ResponseWriter, r *http.Request, name v1.EndpointName) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		ep, err := n.Control.Endpoint(q.call, name)
		if err != nil {
			return nil, err
		}
		traffic, err := n.Runtime.Traffic()
		if err != nil {
			return nil, err
		}
		q.tag(ep.Tag())
		return struct {
			Name   string          `json:"name"`
			Owner  string          `json:"owner,omitempty"`
			At     policy.Pos      `json:"at,omitzero"`
			Etag   string          `json:"etag"`
			Spec   v1.EndpointSpec `json:"spec"`
			Status Endpoint        `json:"status"`
		}{name, ep.Pos.File, ep.Pos, etag(ep.Tag()), endpointSpec(ep), describe(n.Control.Table(), ep, traffic[name])}, nil
	})
}

// PutEndpoint makes an endpoint of the store's, or replaces it.
func (n *native) PutEndpoint(w http.ResponseWriter, r *http.Request, name v1.EndpointName) {
	n.write(w, r, &v1.PutEndpointParams{}, func(q *request) ([]control.Change, error) {
		if err := pathID("endpoint", name); err != nil {
			return nil, err
		}
		ep := &policy.Endpoint{Name: name, AllTenants: true, Resource: policy.AnyResource}
		if err := q.body(endpointShape(ep)); err != nil {
			return nil, err
		}
		return one(control.PutEndpoint(ep))
	})
}

// DeleteEndpoint takes an endpoint of the store's away.
func (n *native) DeleteEndpoint(w http.ResponseWriter, r *http.Request, name v1.EndpointName) {
	n.write(w, r, &v1.DeleteEndpointParams{}, func(*request) ([]control.Change, error) {
		return one(control.DeleteEndpoint(name))
	})
}

// GetSecurity tells what an endpoint asks.
func (n *native) GetSecurity(w http.ResponseWriter, r *http.Request, name v1.EndpointName) {
	n.handle(w, r, &noParams{}, func(q *request) (any, error) {
		ep, err := n.Control.Endpoint(q.call, name)
		if err != nil {
			return nil, err
		}
		q.tag(ep.SecurityTag())
		return securityOf(ep, n.Control.Table().Now), nil
	})
}

// PutSecurity replaces what an endpoint asks.
func (n *native) PutSecurity(w http.ResponseWriter, r *http.Request, name v1.EndpointName) {
	n.write(w, r, &v1.PutSecurityParams{}, func(q *request) ([]control.Change, error) {
		var s security
		if err := q.body(s.shape()); err != nil {
			return nil, err
		}
		s.hash() // not in the agent's loop, where others would wait for it
		return one(control.Secure(name, s.apply))
	})
}
