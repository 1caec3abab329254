package datapath

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

var equalHosts = cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})

func TestHost(t *testing.T) {
	testenv.Root(t)
	ns := testenv.NewNetNS(t)
	testenv.Veth(t,
		&testenv.End{NS: testenv.NewNetNS(t), Name: "outside"},
		&testenv.End{NS: ns, Name: "edge", Addrs: []string{"192.0.2.2/24", "2001:db8::2/64"}})
	for _, args := range [][]string{
		{"route", "add", "local", "198.51.100.0/24", "dev", "lo"},         // AnyIP
		{"route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "7"}, // for marked packets only
		{"route", "add", "203.0.113.0/24", "via", "192.0.2.1"},            // on its way elsewhere
		{"-6", "route", "add", "local", "2001:db8:1::/48", "dev", "lo"},
		{"-6", "route", "add", "local", "default", "dev", "lo"},
		{"-6", "addr", "add", "::ffff:192.0.2.9/128", "dev", "edge", "nodad"},
	} {
		ns.Run(t, "ip", args...)
	}
	want := policy.Host{
		Local: prefixes("192.0.2.2/32", "198.51.100.0/24",
			"::/0", "::ffff:192.0.2.9/128", "2001:db8::2/128", "2001:db8:1::/48"),
		Broadcast: []netip.Addr{netip.MustParseAddr("192.0.2.255")},
	}
	// The kernel takes its time with the routes of IPv6 addresses.
	testenv.Eventually(t, 5*time.Second, func() (err error) {
		ns.Do(func() {
			var got policy.Host
			if got, err = Host(); err != nil {
				return
			}
			if diff := cmp.Diff(want, got, equalHosts); diff != "" {
				err = fmt.Errorf("host (-want +got):\n%s", diff)
			}
		})
		return err
	})
}

func TestWatchHost(t *testing.T) {
	testenv.Root(t)
	ns := testenv.NewNetNS(t)
	testenv.Veth(t,
		&testenv.End{NS: testenv.NewNetNS(t), Name: "outside"},
		&testenv.End{NS: ns, Name: "edge", Addrs: []string{"192.0.2.2/24"}})

	ctx, stop := context.WithCancel(t.Context())
	hosts, done := make(chan policy.Host, 16), make(chan error)
	go ns.Do(func() { done <- WatchHost(ctx, func(h policy.Host) { hosts <- h }) })
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	next := func(want ...string) {
		t.Helper()
		select {
		case h := <-hosts:
			if diff := cmp.Diff(prefixes(want...), h.Local, equalHosts); diff != "" {
				t.Errorf("local addresses (-want +got):\n%s", diff)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("not told of %v", want)
		}
	}
	next("192.0.2.2/32")
	// Several at once are told once; a route elsewhere is not told at all.
	ns.Run(t, "sh", "-c", "for i in 3 4 5; do ip addr add 192.0.2.$i/24 dev edge; done")
	next("192.0.2.2/32", "192.0.2.3/32", "192.0.2.4/32", "192.0.2.5/32")
	ns.Run(t, "ip", "route", "add", "203.0.113.0/24", "via", "192.0.2.1")
	ns.Run(t, "ip", "addr", "flush", "dev", "edge")
	next()
	ns.Run(t, "ip", "addr", "add", "192.0.2.7/24", "dev", "edge")
	next("192.0.2.7/32")
	if len(hosts) != 0 {
		t.Errorf("told of %s without a change", fmt.Sprint(<-hosts))
	}
}
