package datapath

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"

	"github.com/postern-io/postern/pkg/testenv"
)

// Frames of this EtherType are what the toy program below cares about.
var marked = []byte{0x88, 0xb5, 'p', 'o', 's', 't', 'e', 'r', 'n'}

// toyPrograms answer for marked frames, and let all others pass.
func toyPrograms(t *testing.T, name string, action int32) Programs {
	t.Helper()
	load := func(flags uint32) *ebpf.Program {
		prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
			Name:       name,
			Type:       ebpf.XDP,
			AttachType: ebpf.AttachXDP,
			Flags:      flags,
			License:    "GPL",
			Instructions: asm.Instructions{
				asm.LoadMem(asm.R2, asm.R1, 0, asm.Word),
				asm.LoadMem(asm.R3, asm.R1, 4, asm.Word),
				asm.Mov.Imm(asm.R0, 2), // XDP_PASS
				asm.Mov.Reg(asm.R4, asm.R2),
				asm.Add.Imm(asm.R4, 14),
				asm.JGT.Reg(asm.R4, asm.R3, "out"),
				asm.LoadMem(asm.R4, asm.R2, 12, asm.Half),
				asm.JNE.Imm(asm.R4, 0xb588, "out"),
				asm.Mov.Imm(asm.R0, action),
				asm.Return().WithSymbol("out"),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { prog.Close() })
		return prog
	}
	const hasFrags = 1 << 5 // BPF_F_XDP_HAS_FRAGS
	return Programs{Frags: load(hasFrags), Plain: load(0)}
}

const (
	xdpDrop = 1
	xdpPass = 2
)

// wire is a veth pair: frames sent at outside reach the host's interface.
type wire struct{ outside, host *testenv.End }

func newWire(t *testing.T, host *testenv.NetNS, name string) wire {
	t.Helper()
	w := wire{
		outside: &testenv.End{NS: testenv.NewNetNS(t), Name: "outside"},
		host:    &testenv.End{NS: host, Name: name},
	}
	testenv.Veth(t, w.outside, w.host)
	return w
}

// passes reports whether a marked frame gets by.
func (w wire) passes(t *testing.T) bool {
	t.Helper()
	frame := append(append(bytes.Clone(w.host.MAC), w.outside.MAC...), marked...)
	return w.outside.Socket(t).Arrives(t, w.host.Socket(t), frame)
}

// newTestLinks are links of an agent of their own. Only what is pinned outlives
// it, like at the end of a process.
func newTestLinks(t *testing.T, pins string, p Programs) *links {
	t.Helper()
	l := newLinks(pins, slog.New(slog.DiscardHandler))
	if err := l.setPrograms(p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.release)
	return l
}

// attach attaches in ns and returns the error's text.
func attach(t *testing.T, l *links, ns *testenv.NetNS, names ...string) string {
	t.Helper()
	var err error
	ns.Do(func() { err = l.attachAll(t.Context(), names) })
	return text(err)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAttach(t *testing.T) {
	testenv.Root(t)
	tests := []struct {
		name string
		mtu  int // of the other end
		ways []way
		mode string
		why  string
	}{
		{name: "native", ways: ways, mode: "native"},
		{name: "native-jumbo", mtu: 9000, ways: ways, mode: "native"},
		{name: "native-plain", ways: ways[1:], mode: "native"},
		{
			name: "jumbo-without-fragments", mtu: 9000, ways: []way{{false, false}, {true, false}},
			mode: "generic", why: "native: numerical result out of range",
		},
		{name: "generic", ways: ways[2:], mode: "generic"},
		{name: "generic-plain", ways: ways[3:], mode: "generic"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, testenv.NewNetNS(t), "edge")
			if tt.mtu != 0 {
				w.outside.NS.Run(t, "ip", "link", "set", "outside", "mtu", fmt.Sprint(tt.mtu))
			}
			l := newTestLinks(t, testenv.BPFFS(t), toyPrograms(t, "toy_drop", xdpDrop))
			l.ways = tt.ways
			if !w.passes(t) {
				t.Fatal("the frame does not arrive before anything is attached")
			}
			if err := attach(t, l, w.host.NS, "edge"); err != "" {
				t.Fatal(err)
			}
			if w.passes(t) {
				t.Error("a frame that the program drops arrives")
			}
			got := l.interfaces()[0]
			if got.Mode != tt.mode || got.Why != tt.why || got.Index != w.host.Index || got.Err != nil {
				t.Errorf("interface = %+v, want mode %q, why %q", got, tt.mode, tt.why)
			}
			if age := time.Since(got.Since); age < 0 || age > time.Minute {
				t.Errorf("attached since %v", got.Since)
			}
			if err := l.setPrograms(toyPrograms(t, "toy_pass", xdpPass)); err != nil {
				t.Fatal(err)
			}
			if !w.passes(t) {
				t.Error("after the update the old program decides")
			}
		})
	}
}

func TestAttachByKind(t *testing.T) {
	testenv.Root(t)
	tests := []struct {
		name, guard string
		make        [][]string
		mode, why   string
		err         string
	}{
		{
			name: "bridge", guard: "br0", make: [][]string{{"ip", "link", "add", "br0", "type", "bridge"}},
			mode: "generic", why: "native with fragments: operation not supported; native: operation not supported",
		},
		{
			name: "tap", guard: "tap0", make: [][]string{{"ip", "tuntap", "add", "tap0", "mode", "tap"}},
			mode: "native",
		},
		{
			name: "tun", guard: "tun0", make: [][]string{{"ip", "tuntap", "add", "tun0", "mode", "tun"}},
			err: "attach to tun0: not an Ethernet device but none: its packets have no Ethernet header to read",
		},
		{
			name: "loopback", guard: "lo",
			err: "attach to lo: not an Ethernet device but loopback: its packets have no Ethernet header to read",
		},
		{
			name: "bridge-port", guard: "edge",
			make: [][]string{{"ip", "link", "add", "br0", "type", "bridge"}, {"ip", "link", "set", "edge", "master", "br0"}},
			err:  "attach to edge: it is a port of the bridge br0; name br0",
		},
		{name: "absent", guard: "eth9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, testenv.NewNetNS(t), "edge")
			for _, command := range tt.make {
				w.host.NS.Run(t, command[0], command[1:]...)
			}
			l := newTestLinks(t, testenv.BPFFS(t), toyPrograms(t, "toy_drop", xdpDrop))
			if err := attach(t, l, w.host.NS, tt.guard); err != tt.err {
				t.Fatalf("error = %q, want %q", err, tt.err)
			}
			got := l.interfaces()[0]
			if got.Mode != tt.mode || got.Why != tt.why {
				t.Errorf("interface = %+v, want mode %q, why %q", got, tt.mode, tt.why)
			}
			if (got.Mode == "") == (got.Err == nil) {
				t.Errorf("interface = %+v: either it is attached or it says why not", got)
			}
		})
	}
}

func TestAttachBeforeApply(t *testing.T) {
	l := newLinks(t.TempDir(), slog.New(slog.DiscardHandler))
	if got, want := text(l.attachAll(t.Context(), nil)), "attach: no revision was applied yet"; got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
}

// Somebody else's program is named and left alone, however it was attached.
func TestForeignProgram(t *testing.T) {
	testenv.Root(t)
	for _, mode := range []link.XDPAttachFlags{link.XDPDriverMode, link.XDPGenericMode} {
		for _, how := range []string{"link", "netlink"} {
			t.Run(fmt.Sprintf("%s-%d", how, mode), func(t *testing.T) {
				w := newWire(t, testenv.NewNetNS(t), "edge")
				theirs := toyPrograms(t, "theirs", xdpDrop).Frags
				w.host.NS.Do(func() {
					if how == "link" {
						theirLink, err := link.AttachXDP(link.XDPOptions{Program: theirs, Interface: w.host.Index, Flags: mode})
						if err != nil {
							t.Fatal(err)
						}
						t.Cleanup(func() { theirLink.Close() })
						return
					}
					dev, err := netlink.LinkByIndex(w.host.Index)
					if err != nil {
						t.Fatal(err)
					}
					if err := netlink.LinkSetXdpFdWithFlags(dev, theirs.FD(), int(mode)); err != nil {
						t.Fatal(err)
					}
				})
				l := newTestLinks(t, testenv.BPFFS(t), toyPrograms(t, "ours", xdpPass))
				info, err := theirs.Info()
				if err != nil {
					t.Fatal(err)
				}
				id, _ := info.ID()
				want := fmt.Sprintf("attach to edge: XDP program %d (theirs) is there, and is not replaced; take it off or leave edge out", id)
				if got := attach(t, l, w.host.NS, "edge"); got != want {
					t.Errorf("error = %q, want %q", got, want)
				}
				if w.passes(t) {
					t.Error("the program that was there is gone")
				}
			})
		}
	}
}

// What an agent attached stays when it ends, and the next one takes it over
// without a moment's gap: the link is the same, only its program is another.
func TestRestart(t *testing.T) {
	testenv.Root(t)
	ns, pins := testenv.NewNetNS(t), testenv.BPFFS(t)
	kept, dropped := newWire(t, ns, "kept"), newWire(t, ns, "dropped")

	first := newTestLinks(t, pins, toyPrograms(t, "first", xdpDrop))
	first.ways = ways[2:]
	if err := attach(t, first, ns, "kept", "dropped"); err != "" {
		t.Fatal(err)
	}
	before, err := first.guards[0].on.link.Info()
	if err != nil {
		t.Fatal(err)
	}
	since := first.interfaces()[0].Since
	first.release()
	if kept.passes(t) || dropped.passes(t) {
		t.Fatal("a frame arrives after the agent has ended")
	}

	second := newTestLinks(t, pins, toyPrograms(t, "second", xdpPass))
	if err := attach(t, second, ns, "kept"); err != "" {
		t.Fatal(err)
	}
	after, err := second.guards[0].on.link.Info()
	if err != nil {
		t.Fatal(err)
	}
	if before.ID != after.ID || before.Program == after.Program {
		t.Errorf("link %d with program %d, then link %d with program %d: want the link kept and the program new",
			before.ID, before.Program, after.ID, after.Program)
	}
	got := second.interfaces()[0]
	if got.Mode != "generic" || got.Why != "kept as an earlier agent attached it" || !got.Since.Equal(since) {
		t.Errorf("interface = %+v, want it kept in generic mode since %v", got, since)
	}
	if !kept.passes(t) || !dropped.passes(t) {
		t.Error("the old program still decides somewhere")
	}
	if left := pinned(t, pins); len(left) != 1 {
		t.Errorf("pinned: %v, want only the interface that is still named", left)
	}
}

// Links in other namespaces belong to others.
func TestStraysElsewhereStay(t *testing.T) {
	testenv.Root(t)
	pins := testenv.BPFFS(t)
	here, there := newWire(t, testenv.NewNetNS(t), "edge"), newWire(t, testenv.NewNetNS(t), "edge")
	theirs := newTestLinks(t, pins, toyPrograms(t, "theirs", xdpDrop))
	if err := attach(t, theirs, there.host.NS, "edge"); err != "" {
		t.Fatal(err)
	}
	theirs.release()
	ours := newTestLinks(t, pins, toyPrograms(t, "ours", xdpPass))
	if err := attach(t, ours, here.host.NS, "edge"); err != "" {
		t.Fatal(err)
	}
	if there.passes(t) {
		t.Error("an interface of another namespace was let go")
	}
}

// Either every interface moves to the next program or none does. The jumbo wire
// takes no program without fragments.
func TestUpdateIsWhole(t *testing.T) {
	testenv.Root(t)
	ns := testenv.NewNetNS(t)
	plain, jumbo := newWire(t, ns, "plain"), newWire(t, ns, "jumbo")
	jumbo.outside.NS.Run(t, "ip", "link", "set", "outside", "mtu", "9000")
	l := newTestLinks(t, testenv.BPFFS(t), toyPrograms(t, "toy_drop", xdpDrop))
	if err := attach(t, l, ns, "plain", "jumbo"); err != "" {
		t.Fatal(err)
	}
	next := toyPrograms(t, "toy_pass", xdpPass)
	next.Frags = nil
	if got, want := text(l.setPrograms(next)), "jumbo: update the program: numerical result out of range"; got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
	if plain.passes(t) || jumbo.passes(t) {
		t.Error("an update that was refused is in force somewhere")
	}
}

func TestFollow(t *testing.T) {
	testenv.Root(t)
	ns := testenv.NewNetNS(t)
	w := newWire(t, ns, "edge")
	l := newTestLinks(t, testenv.BPFFS(t), toyPrograms(t, "toy_drop", xdpDrop))
	if err := attach(t, l, ns, "edge", "late"); err != "" {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go ns.Do(func() { done <- l.follow(ctx) })
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	becomes := func(i int, want string) {
		t.Helper()
		testenv.Eventually(t, 5*time.Second, func() error {
			if got := describe(l.interfaces()[i]); got != want {
				return fmt.Errorf("interface is %q, want %q", got, want)
			}
			return nil
		})
	}
	const absent = "no such interface; it is guarded when it comes"
	becomes(0, "edge native")
	becomes(1, "late "+absent)

	ns.Run(t, "ip", "link", "set", "edge", "down")
	ns.Run(t, "ip", "link", "set", "edge", "name", "wan")
	becomes(0, "edge native renamed to wan, and guarded there")
	ns.Run(t, "ip", "link", "set", "wan", "up")
	if w.passes(t) {
		t.Error("renaming the interface opened it")
	}
	ns.Run(t, "ip", "link", "set", "wan", "down")
	ns.Run(t, "ip", "link", "set", "wan", "name", "edge")
	becomes(0, "edge native")

	ns.Run(t, "ip", "link", "del", "edge")
	becomes(0, "edge "+absent)
	for i, name := range []string{"edge", "late"} {
		w := newWire(t, ns, name)
		becomes(i, name+" native")
		if w.passes(t) {
			t.Errorf("%s came, and is open", name)
		}
		if gap := l.interfaces()[i].Gap; gap <= 0 || gap > time.Second {
			t.Errorf("%s was open for %v", name, gap)
		}
	}
}

func describe(i Interface) string {
	s := i.Name
	if i.Mode != "" {
		s += " " + i.Mode
	}
	if i.Err != nil {
		s += " " + i.Err.Error()
	}
	return s
}

func pinned(t *testing.T, pins string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(pins, "links"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.Contains(e.Name(), ".") {
			t.Errorf("%s has a dot", e.Name())
		}
		names = append(names, e.Name())
	}
	return names
}
