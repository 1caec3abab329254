package datapath

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
)

func (s *survey) readDevices(guarded []string) error {
	devs, err := whole(netlink.LinkList)
	if err != nil {
		return err
	}
	for _, dev := range devs {
		s.devs[dev.Attrs().Index] = dev
		s.guarded[dev.Attrs().Index] = slices.Contains(guarded, dev.Attrs().Name)
	}
	return nil
}

// tunnels unpack what came in another packet. The program saw only that one.
var tunnels = []string{
	"vxlan", "geneve", "gre", "gretap", "ip6gre", "ip6gretap", "erspan", "ip6erspan", "ipip", "sit", "ip6tnl",
	"vti", "vti6", "xfrm", "wireguard", "tuntap", "tun", "ppp", "l2tp", "gtp", "bareudp",
}

func (s *survey) interfaces() {
	for _, dev := range s.devs {
		attrs := dev.Attrs()
		if attrs.Flags&net.FlagUp == 0 || s.seen(dev) {
			continue
		}
		kind, means := "interface", "is up and not guarded"
		if slices.Contains(tunnels, dev.Type()) {
			kind, means = "tunnel", "unpacks packets that nobody judged"
		}
		remedy := "name " + attrs.Name + " under interfaces"
		if guardable(dev) != nil {
			remedy = "take " + attrs.Name + " down, or filter what comes out of it otherwise"
		}
		s.add(kind, remedy, "%s (%s) %s%s", attrs.Name, dev.Type(), means, addresses(dev))
	}
}

// seen reports whether the program sees what dev receives, on it or on a device
// it belongs to, or whether nothing comes in by it from outside.
func (s *survey) seen(dev netlink.Link) bool {
	attrs := dev.Attrs()
	if s.guarded[attrs.Index] || attrs.Flags&net.FlagLoopback != 0 {
		return true
	}
	switch dev.Type() {
	case "dummy", "vrf": // what a VRF receives, one of its interfaces received
		return true
	case "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec":
		// In another namespace the parent's number means another device.
		if parent, ok := s.devs[attrs.ParentIndex]; ok && attrs.NetNsID < 0 {
			return s.seen(parent)
		}
	}
	switch master, ok := s.devs[attrs.MasterIndex]; {
	case !ok:
		return false
	default:
		// A port hands everything to its master, which is guarded or listed itself.
		return slices.Contains([]string{"bond", "team", "bridge"}, master.Type())
	}
}

func addresses(dev netlink.Link) string {
	addrs, err := whole(func() ([]netlink.Addr, error) { return netlink.AddrList(dev, netlink.FAMILY_ALL) })
	if err != nil || len(addrs) == 0 {
		return ""
	}
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.IP.String()
	}
	return ": " + strings.Join(texts, ", ")
}

// sourceRoutes is about packets whose sender chooses their way. On a guarded
// interface the program drops those of IPv4, and those of IPv6 that still have a
// way to go; one whose way ends here may carry another packet inside.
func (s *survey) sourceRoutes() error {
	switches := []struct {
		family, name, kind, means string
		guardedToo                bool
	}{
		{"ipv4", "accept_source_route", "source-route", "follows IPv4 source routes", false},
		{"ipv6", "accept_source_route", "source-route", "follows IPv6 source routes", false},
		{"ipv6", "rpl_seg_enabled", "segment-routing", "follows RPL source routes", true},
		{"ipv6", "seg6_enabled", "segment-routing", "unpacks IPv6 segment routes", true},
	}
	for _, sw := range switches {
		path := "/proc/sys/net/" + sw.family + "/conf/"
		if all, err := sysctl(path + "all/" + sw.name); err != nil || all <= 0 {
			if err != nil {
				return err
			}
			continue
		}
		for _, dev := range s.devs {
			attrs := dev.Attrs()
			if attrs.Flags&net.FlagUp == 0 || attrs.Flags&net.FlagLoopback != 0 || s.guarded[attrs.Index] && !sw.guardedToo {
				continue
			}
			if on, err := sysctl(path + attrs.Name + "/" + sw.name); err != nil {
				return err
			} else if on > 0 {
				s.add(sw.kind, fmt.Sprintf("sysctl -w net/%s/conf/%s/%s=0", sw.family, attrs.Name, sw.name),
					"%s %s", attrs.Name, sw.means)
			}
		}
	}
	return nil
}

// sysctl reads a switch; one that this kernel does not have is off. These are the
// calling thread's namespace's, like everything under /proc/sys/net.
func sysctl(path string) (int, error) {
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
