package main

import (
	"slices"
	"sync"
	"time"

	"github.com/postern-io/postern/pkg/config"
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

// connections are those that no change may cut unasked: to sshd, wherever it
// listens, and to the ports that the operator names.
type connections struct {
	mu    sync.Mutex
	ssh   datapath.SSH
	named []policy.PortRange
}

func newConnections(api config.API) *connections { return &connections{named: api.GuardPorts} }

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
