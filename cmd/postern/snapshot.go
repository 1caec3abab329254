package main

import (
	"runtime"
	"time"

	"github.com/postern-io/postern/pkg/agent"
	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/datapath"
	"github.com/postern-io/postern/pkg/metrics"
)

// snapshot is how all parts stand, for Prometheus.
func (d *daemon) snapshot() metrics.Snapshot {
	is, usage := d.agent.Status(), d.kernel.Usage()
	s := metrics.Snapshot{
		Version: thisBuild().Version, GoVersion: runtime.Version(),
		Revision: is.Revision, RevisionAt: is.Since, Degraded: is.State == agent.Degraded,
		ReloadAt: is.Reload.At, ReloadAge: time.Since(is.Reload.At), ReloadOK: is.Reload.Err == nil,
		Errors: len(is.Problems.Errors()), Warnings: len(is.Problems) - len(is.Problems.Errors()),
		Tenants: is.Tenants, Lists: is.Lists, Orphaned: len(api.Orphaned(d.agent.Table())), Entries: is.Entries,
		IndexBytes: usage.IndexBytes, MaxIndex: usage.MaxIndex, InTries: usage.InTries,
		Prefixes: usage.Entries, Capacity: usage.MaxEntries, KernelBytes: usage.KernelBytes,
		EventsLost: map[string]uint64{"watch": d.events.Lost()},
	}
	for _, i := range d.kernel.Interfaces() {
		s.Interfaces = append(s.Interfaces, metrics.Interface{Name: i.Name, Mode: interfaceMode(i), Attached: i.Mode != ""})
	}
	if counters, err := d.kernel.Counters(); err == nil {
		count(&s, counters)
	}
	return s
}

// rest is the endpoint label of what is not counted by endpoint. No endpoint has
// such a name.
const rest = "(rest)"

func count(s *metrics.Snapshot, c datapath.Counters) {
	s.Reasons = metricReasons(c)
	s.EventsLost["kernel"] = c.EventsLost
	s.Traffic = map[string]metrics.Traffic{rest: metricTraffic(c.Rest)}
	for name, of := range c.Endpoints {
		s.Traffic[name] = metricTraffic(of)
	}
}

func metricTraffic(c datapath.EndpointCounter) metrics.Traffic {
	return metrics.Traffic{
		Pass: metrics.Volume(c.Pass), Drop: metrics.Volume(c.Drop), WouldDrop: metrics.Volume(c.WouldDrop),
	}
}

// metricReasons are all reasons, those that never came up too: a counter that
// appears with its first packet has no rate at that packet.
func metricReasons(c datapath.Counters) []metrics.Reason {
	var all []metrics.Reason
	for _, r := range datapath.Reasons() {
		verdict := "pass"
		if r.Drop() {
			verdict = "drop"
			all = append(all, metrics.Reason{Name: r.String(), Verdict: "would-drop", Volume: metrics.Volume(c.WouldDrop[r])})
		}
		all = append(all, metrics.Reason{Name: r.String(), Verdict: verdict, Volume: metrics.Volume(c.Reasons[r])})
	}
	return all
}
