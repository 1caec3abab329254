package main

import (
	"errors"
	"io/fs"
	"math"
	"strconv"
	"strings"
)

// Flags of a route, as /proc/net tells them.
const (
	routeUp     = 0x1
	routeReject = 0x200
)

// defaultInterface is where the default route leads, IPv4's before IPv6's: the
// interface the world comes in by. proc is /proc.
func defaultInterface(proc fs.FS) (string, error) {
	for _, table := range []struct {
		file  string
		parse func(fields []string) (route, bool)
	}{{"net/route", route4}, {"net/ipv6_route", route6}} {
		text, err := fs.ReadFile(proc, table.file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if best := leastMetric(string(text), table.parse); best.iface != "" {
			return best.iface, nil
		}
	}
	return "", errors.New("find the default route's interface: there is no default route; name one with --interface")
}

type route struct {
	iface  string
	metric uint64
}

func leastMetric(table string, parse func([]string) (route, bool)) route {
	best := route{metric: math.MaxUint64}
	for line := range strings.Lines(table) {
		if r, ok := parse(strings.Fields(line)); ok && r.metric < best.metric {
			best = r
		}
	}
	return best
}

// route4 reads "eth0 00000000 0100A8C0 0003 0 0 100 00000000 0 0 0" if it is a
// default route.
func route4(f []string) (route, bool) {
	if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
		return route{}, false
	}
	metric, err := strconv.ParseUint(f[6], 10, 32)
	return route{f[0], metric}, err == nil && usable(f[3])
}

// route6 reads "DEST LEN SOURCE LEN GATEWAY METRIC REFS USE FLAGS eth0", hex
// all, if it is a default route.
func route6(f []string) (route, bool) {
	if len(f) < 10 || f[1] != "00" || strings.Trim(f[0], "0") != "" {
		return route{}, false
	}
	metric, err := strconv.ParseUint(f[5], 16, 32)
	return route{f[9], metric}, err == nil && usable(f[8])
}

func usable(flags string) bool {
	n, err := strconv.ParseUint(flags, 16, 32)
	return err == nil && n&routeUp != 0 && n&routeReject == 0
}
