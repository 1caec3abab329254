//go:build linux

package testenv

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// NetNS is a network namespace without a name: nothing is left in the file
// system, and it ends when the last file, socket and process in it do.
type NetNS struct{ handle netns.NsHandle }

// NewNetNS makes a namespace with nothing in it but loopback, which is up.
func NewNetNS(t TB) *NetNS {
	t.Helper()
	ns := &NetNS{}
	on, err := enter(func() (netns.NsHandle, error) {
		fresh, err := netns.New() // enters it too
		ns.handle = fresh
		return fresh, err
	})
	if err != nil {
		t.Fatalf("make a network namespace: %v", err)
	}
	on()
	t.Cleanup(func() { ns.handle.Close() })
	ns.Do(func() {
		var lo netlink.Link
		if lo, err = netlink.LinkByName("lo"); err == nil {
			err = netlink.LinkSetUp(lo)
		}
	})
	if err != nil {
		t.Fatalf("set loopback up: %v", err)
	}
	return ns
}

// Do runs f on a thread that is in ns. It says nothing about goroutines that f
// starts, nor about subtests, which are goroutines too: each enters for itself.
// Sockets and netlink handles stay in the namespace they were opened in.
func (ns *NetNS) Do(f func()) {
	leave, err := enter(func() (netns.NsHandle, error) { return ns.handle, netns.Set(ns.handle) })
	if err != nil {
		panic(fmt.Sprintf("enter network namespace: %v", err))
	}
	defer leave()
	f()
}

// enter locks the goroutine to its thread, moves that into another namespace,
// and returns the way back. A thread that cannot be brought back stays locked, so
// that it ends with its goroutine and serves nobody else.
func enter(move func() (netns.NsHandle, error)) (leave func(), err error) {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	if _, err := move(); err != nil {
		home.Close()
		runtime.UnlockOSThread()
		return nil, err
	}
	return func() {
		defer home.Close()
		if netns.Set(home) == nil {
			runtime.UnlockOSThread()
		}
	}, nil
}

// Start starts cmd inside ns. It keeps our mount namespace, unlike `ip netns
// exec`, whose private mounts hide a bpffs. At the end of the test it is killed
// if it still runs.
func (ns *NetNS) Start(t TB, cmd *exec.Cmd) {
	t.Helper()
	var err error
	ns.Do(func() { err = cmd.Start() })
	if err != nil {
		t.Fatalf("start %v: %v", cmd, err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
}

// Run runs a command inside ns to its end and returns what it wrote.
func (ns *NetNS) Run(t TB, name string, args ...string) string {
	t.Helper()
	var (
		out []byte
		err error
	)
	cmd := exec.Command(name, args...)
	ns.Do(func() { out, err = cmd.CombinedOutput() })
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// Dial connects from inside ns; it fits http.Transport, which dials on
// goroutines of its own. The address is numeric.
func (ns *NetNS) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	ns.Do(func() { conn, err = new(net.Dialer).DialContext(ctx, network, address) })
	return conn, err
}

// Listen listens inside ns until the test ends.
func (ns *NetNS) Listen(t TB, network, address string) net.Listener {
	t.Helper()
	var (
		l   net.Listener
		err error
	)
	ns.Do(func() { l, err = net.Listen(network, address) })
	if err != nil {
		t.Fatalf("listen on %s: %v", address, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
