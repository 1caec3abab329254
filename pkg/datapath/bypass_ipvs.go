package datapath

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// ipvs reads the kernel's load balancer: packets to a virtual service go to real
// ones, under an address that was not on the wire.
func (s *survey) ipvs() error {
	text, err := os.ReadFile("/proc/thread-self/net/ip_vs")
	if errors.Is(err, os.ErrNotExist) {
		return nil // not loaded
	}
	if err == nil {
		s.readIPVS(string(text))
	}
	return err
}

func (s *survey) readIPVS(text string) {
	service := ""
	for line := range strings.Lines(text) {
		switch field := strings.Fields(line); {
		case len(field) < 2:
		case field[0] == "->":
			if real, ok := ipvsAddr(field[1]); ok && s.socket(real.Addr(), real.Port()) {
				s.add("ipvs", "an endpoint for the virtual service, or ipvsadm -d", "IPVS service %s sends packets to %v", service, real)
			}
		default:
			service = strings.Join(field[:2], " ")
			if virtual, ok := ipvsAddr(field[1]); ok {
				service = field[0] + " " + virtual.String()
			}
		}
	}
}

// ipvsAddr reads C0000202:1F90 and [2001:0db8:...]:1F90.
func ipvsAddr(text string) (netip.AddrPort, bool) {
	host, port, ok := cutLast(text, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, false
	}
	if six, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(six, "]"))
		return netip.AddrPortFrom(addr, uint16(n)), err == nil
	}
	four, err := hex.DecodeString(host)
	if err != nil || len(four) != 4 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(four)), uint16(n)), true
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
