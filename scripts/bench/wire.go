package main

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// wire is a host, the world around it and a veth pair between them, with a flood
// to send over it.
type wire struct {
	*testenv.Stage
	host, world *testenv.End
	flood       *driver
	endpoint    *policy.Endpoint
}

// newWire makes a wire and a flood whose sources come from a stream, a frame
// every period.
func newWire(s *testenv.Stage, to *policy.Endpoint, st *stream, period time.Duration) *wire {
	w := &wire{Stage: s, endpoint: to}
	w.host, w.world = newPair(s, to.Destination.Prefix.Addr())
	w.attach(w.world, newVerdict(s, xdpPass)) // who has no program takes no frames from one
	w.flood = w.newFlood(st, period)
	copy(w.flood.frame, w.host.MAC)
	return w
}

// newPair joins a host with an address and the world around it.
func newPair(s *testenv.Stage, at netip.Addr) (host, world *testenv.End) {
	name := fmt.Sprintf("b%x", os.Getpid()) // threads of the kernel are named after it
	host = &testenv.End{NS: testenv.NewNetNS(s), Name: name + "h", Addrs: []string{at.String() + "/24"}}
	world = &testenv.End{NS: testenv.NewNetNS(s), Name: name + "w", Addrs: []string{client.String() + "/24"}}
	testenv.Veth(s, host, world)
	return host, world
}

// attach puts a program on one end.
func (w *wire) attach(e *testenv.End, p *ebpf.Program) {
	var l link.Link
	var err error
	e.NS.Do(func() {
		l, err = link.AttachXDP(link.XDPOptions{Program: p, Interface: e.Index, Flags: link.XDPDriverMode})
	})
	w.Check(err)
	w.Cleanup(func() { l.Close() })
}

// newFlood is a driver that hands its frames to the world's end, which sends them.
func (w *wire) newFlood(st *stream, period time.Duration) *driver {
	ports, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.DevMap, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	w.Check(err)
	w.Cleanup(func() { ports.Close() })
	w.world.NS.Do(func() { err = ports.Put(uint32(0), uint32(w.world.Index)) })
	w.Check(err)
	return st.driver(w.Stage, nil, append(w.pace(period),
		asm.LoadMapPtr(asm.R1, ports.FD()),
		asm.Mov.Imm(asm.R2, 0),
		asm.Mov.Imm(asm.R3, 0),
		asm.FnRedirectMap.Call(),
		asm.Return(),
	))
}

// burst is how many frames a flood that fell behind makes good; maxWait is how
// often it looks at the clock for one frame.
const (
	burst   = 64
	maxWait = 100
)

// pace lets a frame wait until it is due. The memory says when that is.
func (w *wire) pace(period time.Duration) asm.Instructions {
	if period == 0 {
		return nil
	}
	due, _ := newMemory(w.Stage, 8)
	step := int32(period.Nanoseconds())
	return asm.Instructions{
		asm.LoadMapValue(asm.R8, due.FD(), 0),
		asm.Mov.Imm(asm.R7, maxWait),
		asm.FnKtimeGetNs.Call().WithSymbol("wait"),
		asm.LoadMem(asm.R1, asm.R8, 0, asm.DWord),
		asm.JGE.Reg(asm.R0, asm.R1, "due"),
		asm.Sub.Imm(asm.R7, 1),
		asm.JNE.Imm(asm.R7, 0, "wait"),
		asm.Add.Imm(asm.R1, step).WithSymbol("due"),
		asm.Mov.Reg(asm.R2, asm.R1),
		asm.Add.Imm(asm.R2, burst*step),
		asm.JGT.Reg(asm.R2, asm.R0, "set"),
		asm.Mov.Reg(asm.R1, asm.R0),
		asm.StoreMem(asm.R8, 0, asm.R1, asm.DWord).WithSymbol("set"),
	}
}

// xdpContext is struct xdp_md.
type xdpContext struct{ Data, DataEnd, DataMeta, Ingress, Queue, Egress uint32 }

// send sends n frames of the flood and returns how long it took.
func (w *wire) send(n int) (took time.Duration, err error) {
	w.world.NS.Do(func() {
		start := time.Now()
		_, err = w.flood.prog.Run(&ebpf.RunOptions{
			Data: w.flood.frame, Repeat: uint32(n), Flags: unix.BPF_F_TEST_XDP_LIVE_FRAMES,
			Context: xdpContext{DataEnd: uint32(len(w.flood.frame)), Ingress: uint32(w.world.Index)},
		})
		took = time.Since(start)
	})
	return took, err
}

// sendOne sends the frame of one flow.
func (w *wire) sendOne(s *testenv.Socket, f flow) {
	frame := datagram(f)
	copy(frame, w.host.MAC)
	s.Send(w, frame)
}

// arrived counts the frames that the host's end has taken in, whatever became of
// them then.
func (w *wire) arrived() int { return w.count(w.host, "dev", w.host.Name+":", 2) }

// passed counts the datagrams that came up to where sockets are. (There is none.)
func (w *wire) passed() int { return w.count(w.host, "snmp", "Udp:", 2) }

// count reads a field of the last line of that name in a file of /proc/net.
func (w *wire) count(e *testenv.End, file, name string, field int) (n int) {
	var text []byte
	var err error
	e.NS.Do(func() { text, err = os.ReadFile("/proc/thread-self/net/" + file) })
	w.Check(err)
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > field && f[0] == name {
			n, err = strconv.Atoi(f[field])
		}
	}
	w.Check(err)
	return n
}
