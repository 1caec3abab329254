package datapath

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// TestFrames sends every row of the packet path's table over a wire, and looks
// behind the hook: in the driver and in generic mode, with fragments and without.
func TestFrames(t *testing.T) {
	testenv.Root(t)
	for _, w := range ways {
		t.Run(w.String(), func(t *testing.T) {
			d, wire := newDatapath(t), newWire(t, testenv.NewNetNS(t), "edge")
			enforce(t, d, compile(t, rowState(), rowHost))
			d.links.ways = []way{w}
			attachTo(t, d, wire.host)
			in, out := wire.host.Socket(t), wire.outside.Socket(t)
			for _, r := range rows() {
				t.Run(r.name, func(t *testing.T) {
					want := r.expected(policy.Enforce)
					want.Reasons = withMarker(want.Reasons)
					if diff := cmp.Diff(want, sendThrough(t, d, out, in, r.frame)); diff != "" {
						t.Errorf("-want +got:\n%s", diff)
					}
				})
			}
		})
	}
}

// sendThrough is judge with a real frame.
func sendThrough(t *testing.T, d *Datapath, out, in *testenv.Socket, frame []byte) seen {
	t.Helper()
	before, verdict := counters(t, d), uint32(xdpDrop)
	if out.Arrives(t, in, frame) {
		verdict = xdpPass
	}
	after := counters(t, d)
	return seen{verdict, grown(before.Reasons, after.Reasons), grown(before.WouldDrop, after.WouldDrop)}
}

// withMarker adds the frame that Arrives sends after the one in question.
func withMarker(reasons map[string]Tally) map[string]Tally {
	all := map[string]Tally{}
	for name, n := range reasons {
		all[name] = n
	}
	n := all["not-ip"]
	all["not-ip"] = Tally{n.Packets + 1, n.Bytes + testenv.MarkerSize}
	return all
}

func attachTo(t *testing.T, d *Datapath, end *testenv.End) {
	t.Helper()
	end.NS.Do(func() {
		if err := d.Attach(t.Context(), []string{end.Name}); err != nil {
			t.Fatal(err)
		}
	})
}
