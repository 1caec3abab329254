package policy

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

func (c *checker) endpoints(eps []*Endpoint) {
	for _, ep := range eps {
		c.endpoint(ep)
	}
	c.endpointNames(eps)
	c.collisions(eps)
}

func (c *checker) endpoint(ep *Endpoint) {
	c.id(ep.Pos, "endpoint", ep.Name)
	for _, id := range ep.Tenants {
		c.id(ep.Pos, "endpoint "+ep.Name+": tenant", id)
	}
	for what, id := range map[string]string{"project": ep.Project, "service": ep.Service} {
		if id != "" {
			c.id(ep.Pos, "endpoint "+ep.Name+": "+what, id)
		}
	}
	c.resource(ep.Pos, "endpoint "+ep.Name+": resource", ep.Resource)
	e := func(remedy, format string, args ...any) {
		c.errorf(ep.Pos, remedy, "endpoint %s: %s", ep.Name, fmt.Sprintf(format, args...))
	}
	c.comments(ep.Policies)
	ep.checkDestination(e)
	ep.checkClient(e)
	ep.checkHTTP(e)
}

// complain takes one mistake of an endpoint.
type complain func(remedy, format string, args ...any)

func (ep *Endpoint) checkDestination(e complain) {
	p := ep.Destination.Prefix
	if p.IsValid() && p.Addr().Is4In6() {
		e("write "+p.Addr().Unmap().String(), "address %s is IPv4-mapped, and on the wire it is IPv4", p)
	}
	switch {
	case ep.Protocol == AnyProtocol && !p.IsValid():
		e("name the address", "protocol any without an address would guard all the host has")
	case ep.Protocol == AnyProtocol && len(ep.Ports) > 0:
		e("remove them", "protocol any has no ports of its own")
	case ep.Protocol != AnyProtocol && len(ep.Ports) == 0:
		e("name the ports, or write ports: all", "no ports")
	}
}

func (ep *Endpoint) checkClient(e complain) {
	if ep.Client.Source == Peer {
		switch {
		case len(ep.Client.Proxies) > 0:
			e("write client: xff, or remove them", "proxies speak for nobody while client is peer")
		case ep.Client.Hops > 0:
			e("write client: xff, or remove it", "trusted_hops counts nothing while client is peer")
		}
		return
	}
	if len(ep.Client.Proxies) == 0 {
		e("name them", "client %s without proxies would believe everybody", ep.Client.Source)
	}
	for _, p := range ep.Client.Proxies {
		if p.Bits() == 0 {
			e("name the proxies' own addresses", "proxy %s would believe everybody", p)
		}
	}
}

func (ep *Endpoint) checkHTTP(e complain) {
	if ep.HTTP == nil {
		if ep.Refuse == RefuseRespond {
			e("add http, or write refuse: drop", "refuse: respond, and no http to respond with")
		}
		return
	}
	if ep.Protocol != TCP {
		e("write protocol: tcp", "http over protocol %s", ep.Protocol)
	}
	if ep.Client.Source != Peer && ep.Client.Source != XForwardedFor {
		e("write client: xff", "client %s, and http reads peer or xff", ep.Client.Source)
	}
	_, text, err := net.SplitHostPort(ep.HTTP.Listen)
	port, bad := strconv.ParseUint(text, 10, 16)
	switch {
	case ep.HTTP.Listen == "":
	case err != nil || bad != nil:
		e("", "http.listen %q is not host:port", ep.HTTP.Listen)
	case !slices.ContainsFunc(ep.Ports, func(r PortRange) bool { return r.Contains(uint16(port)) }):
		e("add it to ports", "http listens at port %d, which is not among its ports", port)
	case ep.Responds() && ep.Client.Source == Peer:
		ep.checkAnswered(e, uint16(port))
	}
}

// checkAnswered finds what the kernel would pass for the gate to judge and the
// gate never sees.
func (ep *Endpoint) checkAnswered(e complain, port uint16) {
	only := PortRange{port, port}
	if slices.ContainsFunc(ep.Ports, func(r PortRange) bool { return r != only }) {
		e("make the others an endpoint of their own, or write refuse: drop",
			"refusals are answered at port %d only, and its other ports would pass unjudged", port)
	}
	host, _, _ := net.SplitHostPort(ep.HTTP.Listen)
	at, err := netip.ParseAddr(host)
	if host != "" && (err != nil || !at.IsUnspecified() && ep.Destination.Prefix != netip.PrefixFrom(at, at.BitLen())) {
		e("write address: "+host+", or listen at \":"+strconv.Itoa(int(port))+"\"",
			"refusals are answered at %s only, and %s would pass unjudged elsewhere", host, ep.Destination)
	}
}

// endpointNames finds names and listeners that two endpoints have.
func (c *checker) endpointNames(eps []*Endpoint) {
	names, listeners := map[string]*Endpoint{}, map[string]*Endpoint{}
	for _, ep := range eps {
		if first, ok := names[ep.Name]; ok {
			c.errorf(ep.Pos, "give it another name", "endpoint %s is in %s already", ep.Name, first.Pos)
			continue
		}
		names[ep.Name] = ep
		if ep.HTTP == nil || ep.HTTP.Listen == "" {
			continue
		}
		if first, ok := listeners[ep.HTTP.Listen]; ok {
			c.errorf(ep.Pos, "give it another port", "endpoint %s: http listens at %s, as endpoint %s does", ep.Name, ep.HTTP.Listen, first.Name)
			continue
		}
		listeners[ep.HTTP.Listen] = ep
	}
}

// place is where endpoints compete: a destination and a protocol.
type place struct {
	to    Destination
	proto Protocol
}

type claimedPorts struct {
	PortRange
	ep *Endpoint
}

// collisions finds endpoints of which neither is the more specific for some
// packet: at one place, with port ranges of one width that meet.
func (c *checker) collisions(eps []*Endpoint) {
	var order []place
	claims := map[place][]claimedPorts{}
	for _, ep := range eps {
		at := place{ep.Destination, ep.Protocol}
		if _, ok := claims[at]; !ok {
			order = append(order, at)
		}
		claims[at] = append(claims[at], ep.claims()...)
	}
	for _, at := range order {
		c.collide(at, claims[at])
	}
}

func (ep *Endpoint) claims() []claimedPorts {
	if ep.Protocol == AnyProtocol {
		return []claimedPorts{{AllPorts, ep}}
	}
	claims := make([]claimedPorts, len(ep.Ports))
	for i, r := range ep.Ports {
		claims[i] = claimedPorts{r, ep}
	}
	return claims
}

// collide sorts ranges of one width side by side: those that meet are neighbours.
func (c *checker) collide(at place, all []claimedPorts) {
	slices.SortStableFunc(all, func(a, b claimedPorts) int {
		return cmp.Or(cmp.Compare(a.width(), b.width()), cmp.Compare(a.First, b.First))
	})
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if a.ep == b.ep || a.width() != b.width() || b.First > a.Last {
			continue
		}
		what := fmt.Sprintf("%s port %s of %s", at.proto, b.PortRange, at.to)
		if at.proto == AnyProtocol {
			what = fmt.Sprintf("protocol any of %s", at.to)
		}
		c.errorf(b.ep.Pos, "give one of them fewer addresses or ports", "endpoint %s: %s is as much endpoint %s's (%s)", b.ep.Name, what, a.ep.Name, a.ep.Pos)
	}
}

func (r claimedPorts) width() uint16 { return r.Last - r.First }
