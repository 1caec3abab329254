package datapath

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

func connect(t *testing.T, ns *testenv.NetNS, address string) net.Conn {
	t.Helper()
	c, err := ns.Dial(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func connections(t *testing.T, ns *testenv.NetNS, ports ...uint16) []policy.Conn {
	t.Helper()
	var conns []policy.Conn
	var err error
	ns.Do(func() { conns, err = Connections(ports) })
	if err != nil {
		t.Fatal(err)
	}
	return conns
}

func TestConnections(t *testing.T) {
	testenv.Root(t)
	ns := testenv.NewNetNS(t)
	ns.Listen(t, "tcp", "[::]:22") // dual-stack
	ns.Listen(t, "tcp4", "0.0.0.0:2222")
	ns.Listen(t, "tcp", "[::]:80")

	var want []policy.Conn
	for _, address := range []string{"127.0.0.1:22", "127.0.0.1:22", "[::1]:22", "127.0.0.1:2222", "127.0.0.1:80"} {
		at := netip.MustParseAddrPort(address)
		from := netip.MustParseAddrPort(connect(t, ns, address).LocalAddr().String())
		if at.Port() != 80 {
			want = append(want, policy.Conn{Local: at, Remote: from})
		}
	}
	order := cmpopts.SortSlices(func(a, b policy.Conn) bool { return a.Remote.Compare(b.Remote) < 0 })
	if diff := cmp.Diff(want, connections(t, ns, 22, 2222), order, cmpopts.EquateComparable(policy.Conn{})); diff != "" {
		t.Errorf("connections (-want +got):\n%s", diff)
	}
	if conns := connections(t, testenv.NewNetNS(t), 22); conns != nil {
		t.Errorf("another namespace has %v", conns)
	}
}

// A connection that ends is gone, and so is one that is half closed: who is
// leaving is not cut off.
func TestConnectionsEnd(t *testing.T) {
	testenv.Root(t)
	ns := testenv.NewNetNS(t)
	ns.Listen(t, "tcp", "127.0.0.1:22")
	connect(t, ns, "127.0.0.1:22").Close()
	testenv.Eventually(t, 5*time.Second, func() error {
		if conns := connections(t, ns, 22); conns != nil {
			return os.ErrExist
		}
		return nil
	})
}

func TestSSH(t *testing.T) {
	testenv.Root(t)
	ns, ssh := testenv.NewNetNS(t), new(SSH)
	ns.Listen(t, "tcp", "[::]:8022") // ours, and no sshd's
	if got := sshPorts(t, ns, ssh); !slices.Equal(got, []uint16{22}) {
		t.Fatalf("where no sshd listens: %v, want 22", got)
	}
	hold(t, "sshd", ns.Listen(t, "tcp", "127.0.0.1:2223"), ns.Listen(t, "tcp", "[::]:2222"), ns.Listen(t, "tcp", "[::1]:2223"))
	if got := sshPorts(t, ns, ssh); !slices.Equal(got, []uint16{2222, 2223}) {
		t.Errorf("sshd listens on %v, want 2222 and 2223", got)
	}
	if got := sshPorts(t, testenv.NewNetNS(t), new(SSH)); !slices.Equal(got, []uint16{22}) {
		t.Errorf("another namespace has sshd on %v", got)
	}
}

func sshPorts(t *testing.T, ns *testenv.NetNS, ssh *SSH) []uint16 {
	t.Helper()
	var ports []uint16
	var err error
	ns.Do(func() { ports, err = ssh.Ports() })
	if err != nil {
		t.Fatal(err)
	}
	return ports
}

// hold starts a process of a name that has these sockets open.
func hold(t *testing.T, name string, open ...net.Listener) {
	t.Helper()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(sleep, path); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "60")
	for _, l := range open {
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	}
	if err := cmd.Start(); err != nil { // returns when the name is its own
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// BenchmarkConnections is a change's share: the ports of sshd, and the connections
// to them, where the host has 8,000 other sockets.
func BenchmarkConnections(b *testing.B) {
	testenv.Root(b)
	ns := testenv.NewNetNS(b)
	ns.Listen(b, "tcp", "127.0.0.1:22")
	ns.Listen(b, "tcp", "127.0.0.1:80") // accepts none: that takes no file
	ns.Do(func() {
		for range 4_000 {
			c, err := net.Dial("tcp", "127.0.0.1:80")
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { c.Close() })
		}
		var ssh SSH
		for b.Loop() {
			ports, err := ssh.Ports()
			if err != nil {
				b.Fatal(err)
			}
			if _, err := Connections(ports); err != nil {
				b.Fatal(err)
			}
		}
	})
}
