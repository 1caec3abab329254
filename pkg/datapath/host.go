package datapath

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/postern-io/postern/pkg/policy"
)

// quiet is how long the host's addresses must be left alone before they are read
// again: an interface that comes up brings several at once.
const quiet = 50 * time.Millisecond

// patience is how long after the first change they are read at the latest.
const patience = time.Second

// Host reads which destinations this network namespace delivers to itself. The
// routing tables say it better than the list of addresses: they know of whole
// prefixes that the host answers for (AnyIP), and of anycast.
func Host() (policy.Host, error) {
	host, err := readHost()
	if err != nil {
		return policy.Host{}, fmt.Errorf("read the host's addresses: %w", err)
	}
	return host, nil
}

func readHost() (policy.Host, error) {
	tables, err := localTables()
	if err != nil {
		return policy.Host{}, err
	}
	var host policy.Host
	for _, table := range tables {
		for _, kind := range []int{unix.RTN_LOCAL, unix.RTN_ANYCAST, unix.RTN_BROADCAST} {
			prefixes, err := routesTo(table, kind)
			if err != nil {
				return policy.Host{}, err
			}
			for _, p := range prefixes {
				switch {
				case p.Addr().IsLoopback():
				case kind == unix.RTN_BROADCAST:
					host.Broadcast = append(host.Broadcast, p.Addr())
				default:
					host.Local = append(host.Local, p)
				}
			}
		}
	}
	slices.SortFunc(host.Local, netip.Prefix.Compare)
	slices.SortFunc(host.Broadcast, netip.Addr.Compare)
	host.Local = slices.Compact(host.Local)
	host.Broadcast = slices.Compact(host.Broadcast)
	return host, nil
}

// localTables are the tables that say what is delivered here: the local one, and
// that of each VRF, which takes the addresses of its interfaces out of it. Local
// routes in other tables are for packets that carry a mark, and say nothing of
// what a client can reach.
func localTables() ([]int, error) {
	devs, err := whole(netlink.LinkList)
	if err != nil {
		return nil, err
	}
	tables := []int{unix.RT_TABLE_LOCAL}
	for _, dev := range devs {
		if vrf, ok := dev.(*netlink.Vrf); ok {
			tables = append(tables, int(vrf.Table))
		}
	}
	return tables, nil
}

// routesTo reads the destinations of one kind. The kernel picks them out: of a
// million routes a handful is local.
func routesTo(table, kind int) ([]netip.Prefix, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer handle.Close()
	if err := handle.SetStrictCheck(true); err != nil {
		return nil, err
	}
	var prefixes []netip.Prefix
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := whole(func() ([]netlink.Route, error) {
			return handle.RouteListFiltered(family, &netlink.Route{Table: table, Type: kind}, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_TYPE)
		})
		if err != nil && !errors.Is(err, unix.ENOENT) { // no such table yet
			return nil, err
		}
		for _, r := range routes {
			bits, _ := r.Dst.Mask.Size()
			if to, ok := netip.AddrFromSlice(r.Dst.IP); ok {
				prefixes = append(prefixes, netip.PrefixFrom(to, bits))
			}
		}
	}
	return prefixes, nil
}

// WatchHost calls changed with what Host reads, now and whenever it is different,
// until ctx ends. It works in the network namespace of its goroutine.
func WatchHost(ctx context.Context, changed func(policy.Host)) error {
	w := &hostWatch{changed: changed}
	for ctx.Err() == nil {
		if err := w.watch(ctx); err != nil {
			return fmt.Errorf("watch the host's addresses: %w", err)
		}
	}
	return nil
}

type hostWatch struct {
	changed func(policy.Host)
	last    *policy.Host
}

// watch ends with ctx, or when the kernel had more to tell than we read.
func (w *hostWatch) watch(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	updates := make(chan netlink.RouteUpdate)
	if err := netlink.RouteSubscribeWithOptions(updates, ctx.Done(), netlink.RouteSubscribeOptions{
		ReceiveBufferSize: 1 << 20,
	}); err != nil {
		stop()
		return err
	}
	defer func() {
		stop()
		for range updates { // lets the subscription's goroutine end
		}
	}()
	settled := time.NewTimer(0) // what is so already is the first news
	defer settled.Stop()
	var touched time.Time // the first change not told yet; zero: none
	for {
		select {
		case <-ctx.Done():
			return nil
		case update, ok := <-updates:
			if !ok {
				return nil
			}
			if !deliversHere(update.Route) {
				break
			}
			if touched.IsZero() {
				touched = time.Now()
			}
			if time.Since(touched) < patience { // or who keeps changing is never followed
				settled.Reset(quiet)
			}
		case <-settled.C:
			touched = time.Time{}
			if err := w.tell(); err != nil {
				return err
			}
		}
	}
}

// deliversHere keeps the noise of a routing daemon from waking us.
func deliversHere(r netlink.Route) bool {
	return r.Type == unix.RTN_LOCAL || r.Type == unix.RTN_ANYCAST || r.Type == unix.RTN_BROADCAST
}

func (w *hostWatch) tell() error {
	host, err := readHost()
	if err != nil {
		return err
	}
	if w.last == nil || !slices.Equal(w.last.Local, host.Local) || !slices.Equal(w.last.Broadcast, host.Broadcast) {
		w.last = &host
		w.changed(host)
	}
	return nil
}
