package api

import (
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// describe adds to st what the table says, if there is one.
func (st *Status) describe(t *policy.Table, traffic map[string]Traffic) {
	st.Orphaned, st.Endpoints = Orphaned(t), []Endpoint{}
	if t == nil {
		return
	}
	st.Mode = t.State.Mode.String()
	for _, e := range t.State.Endpoints {
		st.Endpoints = append(st.Endpoints, describe(t, e, traffic[e.Name]))
	}
}

func describe(t *policy.Table, e *policy.Endpoint, traffic Traffic) Endpoint {
	return Endpoint{
		Name: e.Name, Protocol: e.Protocol.String(), Destination: e.Destination.String(),
		Ports: texts(e.Ports), Tenants: e.Tenants, AllTenants: e.AllTenants,
		Resource: e.Resource, Client: clientText(e.Client), Refuse: refuses(e),
		Mode:    max(t.State.Mode, e.Mode).String(),
		Lists:   judging(t.State, e),
		Open:    t.State.Open(e),
		Traffic: traffic,
	}
}

// judging names the lists that judge e.
func judging(s *policy.State, e *policy.Endpoint) []string {
	names := []string{}
	add := func(m map[string]*policy.List, at policy.Place) {
		for _, r := range slices.Compact([]string{policy.AnyResource, e.Resource}) {
			if m[r] != nil {
				at.Resource = r
				names = append(names, at.String())
			}
		}
	}
	add(s.System, policy.Place{Scope: policy.ScopeSystem})
	if e.AllTenants && s.Tenants.Len() > 0 {
		names = append(names, "tenants/*")
	}
	for _, id := range e.Tenants {
		if t := s.Tenants.Get(id); t != nil {
			add(t.Lists, policy.Place{Scope: policy.ScopeTenant, Tenant: id})
		}
	}
	if e.Policies != nil {
		names = append(names, policy.Place{Scope: policy.ScopeEndpoint, Endpoint: e.Name}.String())
	}
	return names
}

func clientText(c policy.Client) string {
	if c.Source == policy.HeaderField {
		return c.Source.String() + ":" + c.Header
	}
	return c.Source.String()
}

func refuses(e *policy.Endpoint) string {
	if e.Responds() {
		return policy.RefuseRespond.String()
	}
	return policy.RefuseDrop.String()
}

func texts(ports []policy.PortRange) []string {
	all := make([]string, len(ports))
	for i, p := range ports {
		all[i] = p.String()
	}
	return all
}
