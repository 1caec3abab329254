package main

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/postern-io/postern/pkg/datapath"
	"github.com/postern-io/postern/pkg/gate"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/seen"
)

// sources are who came lately: a packet's source is not whom a request speaks
// for, and a proxy stands among no clients.
type sources struct{ packets, requests *seen.Seen }

func newSources() sources {
	return sources{packets: seen.New(seen.Config{}), requests: seen.New(seen.Config{})}
}

func (s sources) passed(at datapath.Sight) {
	s.packets.Add(at.Endpoint, at.Source, seen.Allow, at.Time)
}

// dropped takes the refusals that a list made: others no change of lists turns.
func (s sources) dropped(e datapath.Event) {
	if !e.Reason.ByList() {
		return
	}
	verdict := seen.Deny
	if e.WouldDrop {
		verdict = seen.WouldDeny
	}
	s.packets.Add(e.Endpoint, e.Source.Addr(), verdict, e.Time)
}

func (s sources) asked(d gate.Decision) {
	switch {
	case !d.Client.IsValid():
	case d.Verdict.Allow:
		s.requests.Add(d.Endpoint, d.Client, seen.Allow, time.Now())
	case d.Verdict.Enforced:
		s.requests.Add(d.Endpoint, d.Client, seen.Deny, time.Now())
	default:
		s.requests.Add(d.Endpoint, d.Client, seen.WouldDeny, time.Now())
	}
}

// at are the sources last seen at an endpoint, as it is judged: by its packets, or
// by its requests.
func (s sources) at(ep *policy.Endpoint) []netip.Addr {
	from := s.requests
	if ep.JudgesPackets() {
		from = s.packets
	}
	var all []netip.Addr
	for _, source := range from.Sources(ep.Name) {
		all = append(all, source.Addr)
	}
	return all
}

// connections are those that no change may cut unasked: to sshd, wherever it
// listens, and to the ports that the operator names.
type connections struct {
	mu    sync.Mutex
	ssh   datapath.SSH
	named []policy.PortRange
}

func (c *connections) name(ports []policy.PortRange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.named = ports
}

// to lists the connections to those of the ports that are guarded.
func (c *connections) to(guarded func(port uint16) bool) ([]policy.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ports, err := c.ssh.Ports()
	if err != nil {
		return nil, err
	}
	ports = slices.Clone(ports)
	for _, r := range c.named {
		for port := int(r.First); port <= int(r.Last); port++ {
			ports = append(ports, uint16(port))
		}
	}
	slices.Sort(ports)
	ports = slices.DeleteFunc(slices.Compact(ports), func(port uint16) bool { return !guarded(port) })
	if len(ports) == 0 {
		return nil, nil
	}
	return datapath.Connections(ports)
}
