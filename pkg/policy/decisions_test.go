package policy_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// TestDecisions holds the law to testdata/decisions: decide rows by Decide,
// packet rows by Match and DecidePacket, and by the record the kernel is given.
func TestDecisions(t *testing.T) {
	for _, s := range testenv.Decisions(t) {
		t.Run(s.Name, func(t *testing.T) {
			at := tables(t, s)
			for _, r := range s.Decides {
				if got := testenv.VerdictText(at(r.At).Decide(r.Query)); !r.Matches(got) {
					t.Errorf("%s\n\tgot: %s", r.Text, got)
				}
			}
			for _, r := range s.Packets {
				if got := packetText(at(r.At), r); got != r.Want {
					t.Errorf("%s\n\tgot: %s", r.Text, got)
				}
			}
		})
	}
}

// tables compiles a scenario once for each moment its rows ask about.
func tables(t *testing.T, s testenv.Scenario) func(time.Time) *policy.Table {
	compiled := map[time.Time]*policy.Table{}
	return func(at time.Time) *policy.Table {
		t.Helper()
		if compiled[at] == nil {
			table, err := policy.Compile(s.State, s.Host, at)
			if err != nil {
				t.Fatal(err)
			}
			compiled[at] = table
		}
		return compiled[at]
	}
}

func packetText(t *policy.Table, r testenv.PacketRow) string {
	if failsafe(t.State, r) {
		return "pass failsafe"
	}
	ep := t.Match(r.Proto, r.Dst, r.Port)
	if ep == nil {
		return "pass"
	}
	law, plan := "drop", planText(t.Plan, ep, r.Src)
	switch v := t.DecidePacket(ep, r.Src); {
	case v.Allow:
		law = "pass"
	case !v.Enforced:
		law = "would-drop"
	}
	if law != plan {
		return law + " " + ep.Name + ", but by its record " + plan
	}
	return law + " " + ep.Name
}

// planText is what the kernel must make of the endpoint's record.
func planText(p *policy.Plan, ep *policy.Endpoint, src netip.Addr) string {
	r := recordOf(p, ep)
	passes := r.Own.Contains(src) && r.Tenant.Contains(src)
	noted := r.ShadowOwn != nil && !(r.ShadowOwn.Contains(src) && r.ShadowTenant.Contains(src))
	switch {
	case !passes && r.Mode == policy.Enforce:
		return "drop"
	case !passes || noted:
		return "would-drop"
	}
	return "pass"
}

func failsafe(s *policy.State, r testenv.PacketRow) bool {
	return slices.ContainsFunc(s.Failsafe, func(f policy.Failsafe) bool {
		return f.Protocol == r.Proto &&
			slices.ContainsFunc(f.Ports, func(p policy.PortRange) bool { return p.Contains(r.Port) }) &&
			slices.ContainsFunc(f.From, func(p netip.Prefix) bool { return p.Contains(r.Src) })
	})
}

// TestDecisionsAreEnough counts what the archives hold.
func TestDecisionsAreEnough(t *testing.T) {
	decides, packets, requests := 0, 0, 0
	for _, s := range testenv.Decisions(t) {
		decides, packets, requests = decides+len(s.Decides), packets+len(s.Packets), requests+len(s.Requests)
	}
	t.Logf("%d decide, %d packet and %d request rows", decides, packets, requests)
	if decides+packets+requests < 200 {
		t.Errorf("%d rows, want at least 200", decides+packets+requests)
	}
}

func recordOf(p *policy.Plan, ep *policy.Endpoint) *policy.Record {
	for _, r := range p.Records.All() {
		if r.Endpoint == ep {
			return r
		}
	}
	return nil
}
