//go:build linux

package testenv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Socket sends and receives whole Ethernet frames on an interface. It hears what
// comes in, not what goes out, and it hears it behind XDP, native and generic.
type Socket struct {
	fd   int
	addr unix.SockaddrLinklayer
}

// Socket opens a packet socket on e. It is open from here on: no frame that comes
// later is missed.
func (e *End) Socket(t TB) *Socket {
	t.Helper()
	s := &Socket{addr: unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: e.Index}}
	var err error
	e.NS.Do(func() { s.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0) })
	if err != nil {
		t.Fatalf("open packet socket: %v", err)
	}
	t.Cleanup(func() { unix.Close(s.fd) })
	err = errors.Join(
		unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
		unix.Bind(s.fd, &s.addr),
	)
	if err != nil {
		t.Fatalf("bind packet socket to %s: %v", e.Name, err)
	}
	return s
}

// Send puts one frame on the wire.
func (s *Socket) Send(t TB, frame []byte) {
	t.Helper()
	if err := unix.Sendto(s.fd, frame, 0, &s.addr); err != nil {
		t.Fatalf("send a frame of %d bytes: %v", len(frame), err)
	}
}

// Recv returns the next frame as it stood on the wire; nil when none came in
// time.
func (s *Socket) Recv(t TB, within time.Duration) []byte {
	t.Helper()
	deadline := time.Now().Add(within)
	buf, oob := make([]byte, 1<<16), make([]byte, 256)
	for {
		left := max(time.Until(deadline), 0)
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, int(left.Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			t.Fatalf("wait for a frame: %v", err)
		case n == 0:
			return nil
		}
		n, oobn, _, _, err := unix.Recvmsg(s.fd, buf, oob, unix.MSG_DONTWAIT)
		if err != nil {
			t.Fatalf("receive a frame: %v", err)
		}
		return retag(buf[:n], oob[:oobn])
	}
}

// MarkerSize is that of the frame that Arrives sends after the one in question,
// to be told apart in counters.
const MarkerSize = 60

// Arrives sends frame and reports whether in hears it. It does not wait out a
// time: a second frame of an experimental EtherType goes after the first, and
// when that is there, the first would be.
func (s *Socket) Arrives(t TB, in *Socket, frame []byte) bool {
	t.Helper()
	after := append(bytes.Clone(frame[:12]), 0x88, 0xb6)
	after = append(after, make([]byte, MarkerSize-len(after))...)
	binary.BigEndian.PutUint64(after[14:], uint64(time.Now().UnixNano()))
	onOneCPU(t, func() {
		s.Send(t, frame)
		s.Send(t, after)
	})
	arrived := false
	for {
		switch got := in.Recv(t, 5*time.Second); {
		case got == nil:
			t.Fatalf("the frame sent after the one in question did not arrive")
		case bytes.Equal(got, frame):
			arrived = true
		case bytes.Equal(got, after):
			return arrived
		}
	}
}

// onOneCPU runs f on one CPU: generic XDP has a queue for each, and between two
// of them frames may overtake each other.
func onOneCPU(t TB, f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Fatalf("read CPU affinity: %v", err)
	}
	cpu := 0
	for !all.IsSet(cpu) {
		cpu++
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Fatalf("stay on a CPU: %v", err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &all) }()
	f()
}

// retag puts back the outer VLAN tag, which the kernel takes off before a packet
// socket sees the frame and hands over beside it.
func retag(frame, oob []byte) []byte {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return frame
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_PACKET || m.Header.Type != unix.PACKET_AUXDATA {
			continue
		}
		// struct tpacket_auxdata: status first, tag and its protocol last.
		if binary.NativeEndian.Uint32(m.Data)&unix.TP_STATUS_VLAN_VALID == 0 {
			return frame
		}
		tag := binary.BigEndian.AppendUint16(nil, binary.NativeEndian.Uint16(m.Data[18:]))
		tag = binary.BigEndian.AppendUint16(tag, binary.NativeEndian.Uint16(m.Data[16:]))
		return slices.Insert(frame, 12, tag...)
	}
	return frame
}

func htons(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}
