package datapath

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/postern-io/postern/pkg/policy"
)

// Bypass is a way to a guarded socket that the program does not see, or that
// somebody should look at because we could not.
type Bypass struct {
	Kind   string // interface, tunnel, nat, ipvs, source-route, segment-routing, anyip, listener, offload, unknown
	What   string
	Remedy string
}

// Bypasses lists the ways round in this network namespace: the program judges a
// packet as it stands on the wire, on the interfaces it is attached to, and the
// kernel has ways to bring packets to a socket that are neither. What cannot be
// looked into is listed as unknown.
func Bypasses(ctx context.Context, t *policy.Table, guarded []string) []Bypass {
	s := &survey{table: t, guarded: map[int]bool{}, devs: map[int]netlink.Link{}}
	s.look("interfaces", func() error { return s.readDevices(guarded) })
	s.look("addresses", s.readHost)
	s.interfaces()
	s.anyIP()
	s.look("source routes", s.sourceRoutes)
	s.look("nftables rules", func() error { return s.nftables(ctx) })
	s.look("iptables rules", func() error { return s.iptables(ctx) })
	s.look("IPVS services", s.ipvs)
	s.look("listening sockets", s.listeners)
	s.look("hardware offload", s.offload)
	slices.SortFunc(s.found, func(a, b Bypass) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.What, b.What))
	})
	return slices.Compact(s.found)
}

// survey is one look around.
type survey struct {
	table   *policy.Table
	host    policy.Host
	devs    map[int]netlink.Link
	guarded map[int]bool
	found   []Bypass
}

// look runs one part of the survey; what it cannot see is part of the result.
func (s *survey) look(at string, read func() error) {
	if err := read(); err != nil {
		s.add("unknown", "check by hand: there may be a way round that is not listed", "%s: %v", at, err)
	}
}

func (s *survey) add(kind, remedy, format string, args ...any) {
	s.found = append(s.found, Bypass{kind, fmt.Sprintf(format, args...), remedy})
}

func (s *survey) readHost() (err error) {
	s.host, err = readHost()
	return err
}

// port reports whether some endpoint guards a port.
func (s *survey) port(proto policy.Protocol, port uint16) bool {
	return slices.ContainsFunc(s.table.State.Endpoints, func(e *policy.Endpoint) bool {
		return e.Protocol == policy.AnyProtocol ||
			e.Protocol == proto && slices.ContainsFunc(e.Ports, func(r policy.PortRange) bool { return r.Contains(port) })
	})
}

// socket reports whether an address and port are guarded, for TCP or UDP. A zero
// address, or port, may be any.
func (s *survey) socket(addr netip.Addr, port uint16) bool {
	for _, proto := range []policy.Protocol{policy.TCP, policy.UDP} {
		switch {
		case !addr.IsValid():
			if port == 0 || s.port(proto, port) {
				return true
			}
		case port == 0:
			if slices.ContainsFunc(s.table.State.Endpoints, func(e *policy.Endpoint) bool {
				return s.table.Match(e.Protocol, addr, anyPort(e)) != nil
			}) {
				return true
			}
		case s.table.Match(proto, addr, port) != nil:
			return true
		}
	}
	return false
}

func anyPort(e *policy.Endpoint) uint16 {
	if len(e.Ports) == 0 {
		return 0
	}
	return e.Ports[0].First
}

// anyIP is about prefixes that the host answers for as a whole: where an endpoint
// names addresses, its sockets may hear on the others too.
func (s *survey) anyIP() {
	for _, p := range s.host.Local {
		if p.IsSingleIP() {
			continue
		}
		for _, e := range s.table.State.Endpoints {
			if s.table.Match(e.Protocol, p.Addr(), anyPort(e)) == nil {
				s.add("anyip", "leave out the endpoint's address, or bind its service to it",
					"the host answers for all of %v, which endpoint %s does not cover", p, e.Name)
				break
			}
		}
	}
}
