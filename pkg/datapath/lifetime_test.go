package datapath

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go4.org/netipx"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

var (
	alice = netip.MustParseAddr("198.51.100.1")
	bob   = netip.MustParseAddr("198.51.100.2")
)

// admits is a plan under which port 8080 of 192.0.2.2 admits one address. With
// more endpoints than fit, it takes a generation of its own.
func admits(t *testing.T, who netip.Addr, more int) *policy.Plan {
	t.Helper()
	s := &policy.State{}
	for i := range more + 1 {
		dst := netip.MustParseAddr("192.0.2.2")
		if i > 0 {
			dst = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		}
		s.Endpoints = append(s.Endpoints, &policy.Endpoint{
			Name: fmt.Sprintf("e%d", i), AllTenants: true, Resource: policy.AnyResource,
			Ports:       []policy.PortRange{{First: 8080, Last: 8080}},
			Destination: policy.Destination{Prefix: netip.PrefixFrom(dst, 32)},
			Policies:    &policy.List{Entries: []policy.Entry{{Text: who.String(), Range: netipx.IPRangeFrom(who, who)}}},
		})
	}
	table, err := policy.Compile(s, policy.Host{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return table.Plan
}

// agentAt is the datapath of one agent; it is closed with the test.
func agentAt(t *testing.T, pins string) *Datapath {
	t.Helper()
	d, err := New(Config{PinDir: pins})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// The whole life of what is enforced: attached, changed, outgrown, left behind by
// its agent, taken over by the next, and ended.
func TestLifetime(t *testing.T) {
	testenv.Root(t)
	w, pins := newWire(t, testenv.NewNetNS(t), "edge"), filepath.Join(testenv.BPFFS(t), "postern")
	in, out := w.host.Socket(t), w.outside.Socket(t)
	admitted := func(when string, want ...netip.Addr) {
		t.Helper()
		var got []netip.Addr
		for _, who := range []netip.Addr{alice, bob} {
			frame := testenv.Packet(
				testenv.Ether{Dst: [6]byte(w.host.MAC), Src: [6]byte(w.outside.MAC)},
				testenv.IPv4{Src: who, Dst: netip.MustParseAddr("192.0.2.2")},
				testenv.TCP{Src: 40000, Dst: 8080})
			if out.Arrives(t, in, frame) {
				got = append(got, who)
			}
		}
		if diff := cmp.Diff(want, got, equalHosts); diff != "" {
			t.Errorf("%s: admitted (-want +got):\n%s", when, diff)
		}
	}
	generations := func() (names []string) {
		t.Helper()
		dirs, err := generationDirs(pins)
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			names = append(names, filepath.Base(dir))
		}
		return names
	}
	onlyGeneration := func(want string) {
		t.Helper()
		testenv.Eventually(t, 5*time.Second, func() error {
			if got := generations(); len(got) != 1 || got[0] != want {
				return fmt.Errorf("generations pinned: %v, want only %s", got, want)
			}
			return nil
		})
	}

	first := agentAt(t, pins)
	enforce(t, first, admits(t, alice, 0))
	admitted("before attaching", alice, bob)
	attachTo(t, first, w.host)
	admitted("attached", alice)
	enforce(t, first, admits(t, bob, 0))
	admitted("changed", bob)
	onlyGeneration("gen-1")
	enforce(t, first, admits(t, alice, 20_000))
	admitted("outgrown", alice)
	onlyGeneration("gen-2")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	admitted("without an agent", alice)

	second := agentAt(t, pins)
	enforce(t, second, admits(t, bob, 0))
	admitted("before the next agent attaches", alice)
	attachTo(t, second, w.host)
	admitted("taken over", bob)
	onlyGeneration("gen-3")
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}

	w.host.NS.Do(func() {
		released, err := Detach(Config{PinDir: pins})
		if err != nil || len(released) != 1 || released[0].Name != "edge" {
			t.Errorf("released %+v, %v; want edge", released, err)
		}
	})
	admitted("detached", alice, bob)
	if left := generations(); left != nil {
		t.Errorf("left behind: %v", left)
	}
}
