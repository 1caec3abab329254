package policy

import "net/netip"

// Query is one question to the law.
type Query struct {
	Endpoint *Endpoint // nil: the lists alone, no endpoint's
	Tenant   string    // "": not known; see Decide
	User     string    // "": none
	Resource string    // "": the endpoint's, or "*"
	Addr     netip.Addr
	// TruePeer says that Addr is the socket's own peer and that the request
	// carried neither forwarding header nor PROXY header: only then can
	// loopback be exempt.
	TruePeer bool
}

// Verdict is the answer, with its reason: the first list that refuses, in the
// order system, tenant, user, endpoint and "*" before the resource; or, when it
// allows, the last list that admits by an entry.
type Verdict struct {
	Allow    bool
	Enforced bool // false where the refusing list, the endpoint or the agent only monitors or is off
	Reason   Reason
	Scope    Scope
	Tenant   string // whose list, with ScopeTenant and ScopeUser
	User     string // whose list, with ScopeUser
	Resource string // the list's resource: "*" or a name
	List     *List  // nil where no list spoke
	Entry    *Entry // the entry as typed; nil where none matched
}

// Place is where the list stands that spoke, at an endpoint.
func (v Verdict) Place(ep *Endpoint) Place {
	at := Place{Scope: v.Scope, Tenant: v.Tenant, User: v.User, Resource: v.Resource}
	if v.Scope == ScopeEndpoint {
		at.Resource, at.Endpoint = "", ep.Name
	}
	return at
}
