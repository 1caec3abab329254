//go:build linux

package testenv

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// End is one end of a veth pair.
type End struct {
	NS    *NetNS
	Name  string
	Addrs []string // "192.0.2.1/24", "2001:db8::1/64"

	// Veth fills in the rest.
	Index int
	MAC   net.HardwareAddr
}

// Veth joins a and b. Both ends are up, and their addresses are good at once
// (no duplicate address detection). An end is quiet: it has no link-local address
// and, where it has no IPv6 address, no IPv6, so that what a test counts is what
// it sent.
func Veth(t TB, a, b *End) {
	t.Helper()
	var err error
	a.NS.Do(func() {
		err = netlink.LinkAdd(&netlink.Veth{
			LinkAttrs:     netlink.LinkAttrs{Name: a.Name},
			PeerName:      b.Name,
			PeerNamespace: netlink.NsFd(b.NS.handle),
		})
	})
	if err != nil {
		t.Fatalf("make veth %s-%s: %v", a.Name, b.Name, err)
	}
	// The kernel only takes a namespace down some time after its last user; the
	// pair should be gone when the test is.
	t.Cleanup(func() {
		a.NS.Do(func() { _ = netlink.LinkDel(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: a.Index}}) })
	})
	for _, e := range []*End{a, b} {
		e.NS.Do(func() { err = e.bringUp() })
		if err != nil {
			t.Fatalf("bring up %s: %v", e.Name, err)
		}
	}
	// Unasked, the kernel may take a second to notice the carrier, and until then
	// the end answers no neighbour solicitation; being asked, it looks.
	for _, e := range []*End{a, b} {
		e.NS.Do(func() { _, err = netlink.LinkByName(e.Name) })
		if err != nil {
			t.Fatalf("bring up %s: %v", e.Name, err)
		}
		Eventually(t, 5*time.Second, e.addressed)
	}
}

// addressed waits for the routes to e's own addresses: the kernel adds those of
// IPv6 when it gets to it.
func (e *End) addressed() (err error) {
	e.NS.Do(func() {
		for _, text := range e.Addrs {
			addr, _ := netlink.ParseAddr(text) // bringUp has read it
			var routes []netlink.Route
			if routes, err = netlink.RouteGet(addr.IP); err == nil && routes[0].Type != unix.RTN_LOCAL {
				err = fmt.Errorf("%s is not yet local", text)
			}
			if err != nil {
				return
			}
		}
	})
	return err
}

// bringUp runs inside e's namespace.
func (e *End) bringUp() error {
	link, err := netlink.LinkByName(e.Name)
	if err != nil {
		return err
	}
	e.Index, e.MAC = link.Attrs().Index, link.Attrs().HardwareAddr
	const noLinkLocal = 1 // IN6_ADDR_GEN_MODE_NONE
	if err := netlink.LinkSetIP6AddrGenMode(link, noLinkLocal); err != nil {
		return fmt.Errorf("turn off link-local addresses: %w", err)
	}
	six := false
	for _, text := range e.Addrs {
		addr, err := netlink.ParseAddr(text)
		if err != nil {
			return err
		}
		if addr.IP.To4() == nil {
			six = true
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := netlink.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("add %s: %w", text, err)
		}
	}
	if !six {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+e.Name+"/disable_ipv6", []byte("1"), 0); err != nil {
			return err
		}
	}
	return netlink.LinkSetUp(link)
}
