package main

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/testenv"
)

// world is the edge host, the world around it, and the wire between them.
type world struct {
	*agent
	edge, around *testenv.End
	// in hears what XDP lets through on the edge host; out sends to it.
	in, out *testenv.Socket
	at      map[string]netip.AddrPort // where an endpoint stands, and its first port
}

func newWorld(s *testenv.Stage, binary string) *world {
	w := &world{
		edge: &testenv.End{NS: testenv.NewNetNS(s), Name: "edge0", Addrs: []string{
			"203.0.113.10/24", "203.0.113.11/24", "203.0.113.12/24", "203.0.113.13/24", "203.0.113.14/24",
			"203.0.113.15/24", "203.0.113.16/24", "203.0.113.17/24", "203.0.113.18/24", "203.0.113.19/24",
			"192.0.2.1/24", "198.51.100.1/24", "2001:db8::10/64",
		}},
		around: &testenv.End{NS: testenv.NewNetNS(s), Name: "world0", Addrs: []string{
			"203.0.113.77/24", "192.0.2.10/24", "192.0.2.11/24", "198.51.100.20/24", "2001:db8::77/64",
		}},
		at: map[string]netip.AddrPort{},
	}
	testenv.Veth(s, w.edge, w.around)
	serveUpstream(s, w.edge.NS)
	progress("starting the agent")
	w.agent = startAgent(s, binary, w.edge.NS)
	w.look()
	w.in, w.out = w.edge.Socket(s), w.around.Socket(s)
	return w
}

// look reads from the agent's status where its endpoints stand, and says how it
// is set up.
func (w *world) look() {
	st, err := w.client.Status(w.Context())
	w.Check(err)
	for _, e := range st.Endpoints {
		first, _, _ := strings.Cut(append(e.Ports, "0")[0], "-")
		w.at[e.Name], err = netip.ParseAddrPort(net.JoinHostPort(e.Destination, first))
		w.Check(err)
	}
	progress("enforcing on %s (%s): %d endpoints, %d tenants, %d entries",
		st.Interfaces[0].Name, st.Interfaces[0].Mode, len(st.Endpoints), st.Count.Tenants, st.Count.Entries)
}

// send sends a frame and says what became of it, and why: the reason that the
// kernel counted and, where that is a list, what the agent says of the address.
func (w *world) send(r row, f frame) sight {
	before := w.reasons()
	got := sight{seen: w.arrives(r, f)}
	got.because = moved(before, w.reasons())
	switch strings.TrimPrefix(got.because, wouldDrop) {
	case "listed", "not-listed", "not-listed-tenant":
		got.because += ": " + w.explain(api.Question{Address: r.from, Endpoint: r.to})
	}
	return got
}

// arrives sends a frame and says what became of it.
func (w *world) arrives(r row, f frame) string {
	if w.out.Arrives(w, w.in, f.bytes(w, w.addr(r.from), w.at[r.to].Addr())) {
		return arrives
	}
	return dropped
}

// chatter are the reasons of packets that no row sends: those of two hosts that
// find each other, and the one by which Arrives knows that another was dropped.
var chatter = []string{"not-ip", "arp", "neighbour-discovery", "multicast-listener", "igmp"}

// moved names the reasons whose counters moved.
func moved(before, after map[string]string) string {
	var names []string
	for _, reason := range slices.Sorted(maps.Keys(after)) {
		if after[reason] != before[reason] && !slices.Contains(chatter, reason) {
			names = append(names, reason)
		}
	}
	return strings.Join(names, ", ")
}

// addr reads an address of the demo's own.
func (w *world) addr(text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	w.Check(err)
	return a
}
