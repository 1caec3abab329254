package policy

import (
	"fmt"
	"slices"
)

// LockOut warns of endpoints that guard SSH's port where no failsafe leaves it
// open: a list that forgets the operator keeps him out. It is the part of Lint
// that an agent says again whenever it starts.
func (s *State) LockOut() Problems {
	var found Problems
	for _, ep := range s.Endpoints {
		found = append(found, s.lockOut(ep)...)
	}
	return found
}

func (s *State) lockOut(ep *Endpoint) Problems {
	if !ep.guardsSSH() || slices.ContainsFunc(s.Failsafe, Failsafe.leavesSSH) {
		return nil
	}
	return Problems{{
		Pos:     ep.Pos,
		Warning: true,
		What:    fmt.Sprintf("endpoint %s guards port 22, and no failsafe leaves you a way in", ep.Name),
		Remedy:  "add failsafe: [{protocol: tcp, ports: [22], from: [...]}]",
	}}
}

func (ep *Endpoint) guardsSSH() bool {
	return ep.Protocol == AnyProtocol || ep.Protocol == TCP && hasSSH(ep.Ports)
}

func (f Failsafe) leavesSSH() bool { return f.Protocol == TCP && hasSSH(f.Ports) }

func hasSSH(rs []PortRange) bool {
	return slices.ContainsFunc(rs, func(r PortRange) bool { return r.Contains(22) })
}
