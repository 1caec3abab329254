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
	ns.Listen(t, "tcp4", "0.0.0.0:2223")
	ns.Listen(t, "tcp", "[::]:80")
	var open []policy.Conn
	for _, address := range []string{"127.0.0.1:22", "127.0.0.1:22", "[::1]:22", "127.0.0.1:2222", "127.0.0.1:2223", "127.0.0.1:80"} {
		from := connect(t, ns, address).LocalAddr().String()
		open = append(open, policy.Conn{Local: netip.MustParseAddrPort(address), Remote: netip.MustParseAddrPort(from)})
	}
	tests := []struct {
		name  string
		ports []uint16
	}{
		{name: "none"},
		{name: "one", ports: []uint16{22}},
		{name: "nobody-connects", ports: []uint16{443}},
		{name: "apart-and-twice", ports: []uint16{2222, 22, 22}},
		{name: "in-a-row", ports: []uint16{2222, 2223, 2224}},
		{name: "several-rows", ports: []uint16{21, 22, 79, 80, 2223}},
		{name: "more-than-spans", ports: append(apart(2*maxSpans), 22, 2223)}, // 80 is below, 2222 lies between
		{name: "highest", ports: []uint16{22, 65535}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want []policy.Conn
			for _, c := range open {
				if slices.Contains(tt.ports, c.Local.Port()) {
					want = append(want, c)
				}
			}
			order := cmpopts.SortSlices(func(a, b policy.Conn) bool { return a.Remote.Compare(b.Remote) < 0 })
			if diff := cmp.Diff(want, connections(t, ns, tt.ports...), order, cmpopts.EquateComparable(policy.Conn{})); diff != "" {
				t.Errorf("connections (-want +got):\n%s", diff)
			}
		})
	}
	if conns := connections(t, testenv.NewNetNS(t), 22); conns != nil {
		t.Errorf("another namespace has %v", conns)
	}
}

// apart are ports that do not border on each other.
func apart(n int) []uint16 {
	ports := make([]uint16, n)
	for i := range ports {
		ports[i] = uint16(101 + 2*i)
	}
	return ports
}

// TestConnectionsAskedOnce shows that many ports take about as long as one: each
// walk through the kernel's sockets costs the same.
func TestConnectionsAskedOnce(t *testing.T) {
	testenv.Root(t)
	ns := testenv.NewNetNS(t)
	took := func(ports []uint16) time.Duration {
		fastest := time.Hour
		for range 5 {
			start := time.Now()
			connections(t, ns, ports...)
			fastest = min(fastest, time.Since(start))
		}
		return fastest
	}
	one, many := took([]uint16{22}), took(apart(1000))
	if many > 100*one {
		t.Errorf("1,000 ports took %v, one %v", many, one)
	}
}

func TestSpans(t *testing.T) {
	tests := []struct {
		name  string
		ports []uint16
		want  []span
	}{
		{name: "none"},
		{name: "rows", ports: []uint16{22, 80, 81, 82, 84, 65534, 65535}, want: []span{{22, 22}, {80, 82}, {84, 84}, {65534, 65535}}},
		{name: "too-many", ports: append(apart(maxSpans), 9000, 9999), want: []span{{101, 99 + 2*maxSpans}, {9000, 9000}, {9999, 9999}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := spans(tt.ports); !slices.Equal(got, tt.want) {
				t.Errorf("spans(%v) = %v, want %v", tt.ports, got, tt.want)
			}
		})
	}
	if got := spans(apart(maxSpans)); len(got) != maxSpans {
		t.Errorf("%d spans, want %d", len(got), maxSpans)
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

// BenchmarkConnections is a change's share: the ports of sshd and others that are
// guarded, and the connections to them, where the host has 8,000 other sockets.
func BenchmarkConnections(b *testing.B) {
	b.Run("sshd", func(b *testing.B) { benchmarkConnections(b, nil) })
	b.Run("60-apart", func(b *testing.B) { benchmarkConnections(b, apart(60)) })
	b.Run("2000-apart", func(b *testing.B) { benchmarkConnections(b, apart(2000)) })
}

func benchmarkConnections(b *testing.B, others []uint16) {
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
			if _, err := Connections(append(others, ports...)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
