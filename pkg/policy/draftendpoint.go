package policy

import "slices"

// endpoint is one of the state's, dormant or not.
func (d *Draft) endpoint(name string) *Endpoint {
	if ep := d.state.Endpoint(name); ep != nil {
		return ep
	}
	for _, ep := range d.state.Dormant {
		if ep.Name == name {
			return ep
		}
	}
	return nil
}

// sleep gives an endpoint that no file has any more the security it had.
func (d *Draft) sleep(name string, ep *Endpoint) {
	remember(d.before.Endpoints, name, d.endpoint(name))
	d.forget(name)
	if ep.Secured {
		d.state.Dormant = append(d.state.Dormant, ep)
	}
}

// forget takes away what is dormant under a name.
func (d *Draft) forget(name string) {
	d.state.Dormant = slices.DeleteFunc(slices.Clone(d.state.Dormant), func(ep *Endpoint) bool { return ep.Name == name })
}

// SetEndpoint puts an endpoint of the store's in the place of one of its name;
// nil takes it away.
func (d *Draft) SetEndpoint(name string, ep *Endpoint) error {
	was := d.state.Endpoint(name)
	switch {
	case was != nil && was.Pos.File != "":
		return &Owned{"endpoint " + name, was.Pos.File}
	case was == nil && ep == nil:
		return nil
	}
	d.putEndpoint(name, was, ep)
	return nil
}

// Secure gives an endpoint its own list and what it asks beside the address, also
// where a file owns the endpoint: unless the file says these itself.
func (d *Draft) Secure(name string, policies *List, verify Verify, s *Security) error {
	was := d.state.Endpoint(name)
	switch {
	case was == nil:
		return &Unknown{"endpoint", name}
	case was.SaysSecurity():
		return &Owned{"the security of endpoint " + name, was.Pos.File}
	}
	d.putEndpoint(name, was, was.SecuredAs(&Endpoint{Policies: policies, Verify: verify, Security: s, Secured: true}))
	return nil
}

// SecuredAs is ep with the security of another.
func (ep *Endpoint) SecuredAs(of *Endpoint) *Endpoint {
	own := *ep
	own.Policies, own.Verify, own.Security, own.Secured = of.Policies, of.Verify, of.Security, of.Secured
	return &own
}

// SaysSecurity reports whether the file of an endpoint has policies of its own for
// it, or says how they are joined.
func (ep *Endpoint) SaysSecurity() bool {
	return !ep.Secured && ep.Pos.File != "" && (ep.Policies != nil || ep.Verify != VerifyAnd)
}

func (d *Draft) putEndpoint(name string, was, ep *Endpoint) {
	remember(d.before.Endpoints, name, was)
	d.forget(name)
	all := slices.Clone(d.state.Endpoints)
	at := slices.Index(all, was)
	switch {
	case ep == nil:
		all = slices.Delete(all, at, at+1)
	case at < 0:
		all = append(all, ep)
	default:
		all[at] = ep
	}
	d.state.Endpoints = all
}

func (d *Draft) restoreEndpoint(name string, ep *Endpoint) error {
	is := d.state.Endpoint(name)
	switch {
	case is == nil && ep != nil && ep.Pos.File != "":
		d.sleep(name, ep)
		return nil
	case ep == nil || is == nil || is.Pos.File == "":
		return d.SetEndpoint(name, ep)
	}
	return d.RestoreSecurity(name, ep)
}

// RestoreSecurity gives an endpoint the own list of another, and what that one
// asks beside the address.
func (d *Draft) RestoreSecurity(name string, of *Endpoint) error {
	is := d.state.Endpoint(name)
	switch {
	case is == nil:
		return &Unknown{"endpoint", name}
	case is.SaysSecurity():
		return &Owned{"the security of endpoint " + name, is.Pos.File}
	case is.Pos.File != "" && !of.Secured: // the file said it then, and says nothing now
		of = &Endpoint{}
	}
	d.putEndpoint(name, is, is.SecuredAs(of))
	return nil
}
