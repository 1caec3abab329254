package agent

import "github.com/postern-io/postern/pkg/policy"

// closed is s where nothing is known of who may pass: each endpoint's own list
// admits nobody, and no other list is needed. The failsafe stays. An endpoint
// with HTTP stays reachable where its refusals are given there, so that the gate
// can say 503; one without goes by the packet's source, or its proxies would
// still pass.
func closed(s *policy.State) *policy.State {
	c := *s
	c.System, c.Tenants = nil, policy.Map[policy.Tenant]{}
	c.Endpoints = make([]*policy.Endpoint, len(s.Endpoints))
	for i, ep := range s.Endpoints {
		e := *ep
		e.Policies = nobody()
		e.Verify = policy.VerifyAnd
		if e.HTTP == nil {
			e.Client = policy.Client{}
		}
		c.Endpoints[i] = &e
	}
	return &c
}

// nobody is a list that restricts and admits no address.
func nobody() *policy.List {
	return &policy.List{Entries: []policy.Entry{{Text: "0.0.0.0/0", Disabled: true}}}
}
