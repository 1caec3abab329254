package datapath

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"go4.org/netipx"

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
	s := newSurvey(t)
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
	cover   map[portKey]*netipx.IPSet
	found   []Bypass
}

func newSurvey(t *policy.Table) *survey {
	return &survey{table: t, guarded: map[int]bool{}, devs: map[int]netlink.Link{}, cover: map[portKey]*netipx.IPSet{}}
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

// portKey is what a socket waits on. The zero port is any.
type portKey struct {
	proto policy.Protocol
	port  uint16
}

func (k portKey) guardedBy(e *policy.Endpoint) bool {
	switch {
	case e.Protocol == policy.AnyProtocol:
		return true
	case e.Protocol != k.proto:
		return false
	}
	return k.port == 0 || slices.ContainsFunc(e.Ports, func(r policy.PortRange) bool { return r.Contains(k.port) })
}

// covered are the destinations at which some endpoint guards a port. A host may
// have as many endpoints as tenants, and as many rules and addresses to ask for,
// so the answer is kept.
func (s *survey) covered(k portKey) *netipx.IPSet {
	if set, ok := s.cover[k]; ok {
		return set
	}
	var b netipx.IPSetBuilder
	for _, e := range s.table.State.Endpoints {
		if k.guardedBy(e) {
			for _, p := range s.destinations(e.Destination) {
				b.AddPrefix(p)
			}
		}
	}
	// The only error is about prefixes that are none.
	set, _ := b.IPSet()
	s.cover[k] = set
	return set
}

func (s *survey) destinations(d policy.Destination) []netip.Prefix {
	switch {
	case d.Everything:
		return []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}
	case !d.Prefix.IsValid():
		return s.host.Local
	}
	return []netip.Prefix{d.Prefix}
}

func empty(set *netipx.IPSet) bool { return set.Equal(&netipx.IPSet{}) }

// socket reports whether an address and port are guarded, for TCP or UDP. A zero
// address, or port, may be any.
func (s *survey) socket(addr netip.Addr, port uint16) bool {
	for _, proto := range []policy.Protocol{policy.TCP, policy.UDP} {
		if set := s.covered(portKey{proto, port}); set.Contains(addr) || !addr.IsValid() && !empty(set) {
			return true
		}
	}
	return false
}

// anyIP is about prefixes that the host answers for as a whole: where an endpoint
// names addresses, its sockets may hear on the others too.
func (s *survey) anyIP() {
	for _, p := range s.host.Local {
		i := slices.IndexFunc(s.table.State.Endpoints, func(e *policy.Endpoint) bool {
			d := e.Destination.Prefix
			return d.IsValid() && (d.Bits() > p.Bits() || !d.Contains(p.Addr()))
		})
		if i >= 0 && !p.IsSingleIP() {
			s.add("anyip", "leave out the endpoint's address, or bind its service to it",
				"the host answers for all of %v, which endpoint %s does not cover", p, s.table.State.Endpoints[i].Name)
		}
	}
}
