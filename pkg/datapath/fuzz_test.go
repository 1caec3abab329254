package datapath

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/cilium/ebpf"
)

// delivery is what Linux would hand to a socket of a frame, as far as the tests
// care: it takes more for good than the program does, so that what slips through
// shows.
type delivery struct {
	src, dst netip.Addr
	protocol byte
	port     uint16
	dhcp     bool
}

// deliver reads a frame as a receiver does. It is written to be plainly right:
// no limits, no counters, slices where the program has offsets.
func deliver(frame []byte) (d delivery, ok bool) {
	if len(frame) < 14 {
		return d, false
	}
	kind, packet := binary.BigEndian.Uint16(frame[12:]), frame[14:]
	for (kind == 0x8100 || kind == 0x88a8) && len(packet) >= 4 {
		kind, packet = binary.BigEndian.Uint16(packet[2:]), packet[4:]
	}
	switch {
	case kind == 0x0800 && len(packet) >= 20 && packet[0]>>4 == 4:
		return deliver4(packet)
	case kind == 0x86dd && len(packet) >= 40 && packet[0]>>4 == 6:
		return deliver6(packet)
	}
	return d, false
}

func deliver4(packet []byte) (d delivery, ok bool) {
	size, total := int(packet[0]&15)*4, int(binary.BigEndian.Uint16(packet[2:]))
	fragment := binary.BigEndian.Uint16(packet[6:])
	if size < 20 || total < size || total > len(packet) || fragment&0x1fff != 0 {
		return d, false
	}
	d.src, d.dst = netip.AddrFrom4([4]byte(packet[12:])), netip.AddrFrom4([4]byte(packet[16:]))
	return d.socket(packet[9], packet[size:total], fragment&0x2000 != 0)
}

func deliver6(packet []byte) (d delivery, ok bool) {
	total := 40 + int(binary.BigEndian.Uint16(packet[4:]))
	if total > len(packet) {
		return d, false
	}
	d.src, d.dst = netip.AddrFrom16([16]byte(packet[8:])), netip.AddrFrom16([16]byte(packet[24:]))
	next, rest, first := packet[6], packet[40:total], false
	for slices.Contains([]byte{0, 43, 44, 51, 60, 135, 139, 140}, next) {
		if len(rest) < 8 {
			return d, false
		}
		size := (int(rest[1]) + 1) * 8
		switch next {
		case 44:
			size = 8
			if binary.BigEndian.Uint16(rest[2:])>>3 != 0 {
				return d, false
			}
			first = first || rest[3]&1 != 0
		case 51:
			size = (int(rest[1]) + 2) * 4
		}
		if size > len(rest) {
			return d, false
		}
		next, rest = rest[0], rest[size:]
	}
	return d.socket(next, rest, first)
}

func (d delivery) socket(protocol byte, segment []byte, first bool) (delivery, bool) {
	d.protocol = protocol
	switch {
	case protocol == protoTCP && len(segment) >= 20, protocol == protoUDP && len(segment) >= 8:
		d.port = binary.BigEndian.Uint16(segment[2:])
		from := binary.BigEndian.Uint16(segment)
		d.dhcp = protocol == protoUDP && (from == 67 && d.port == 68 && d.dst.Is4() || from == 547 && d.port == 546 && d.dst.Is6())
		return d, true
	}
	return d, false
}

// refuses reports whether the policy of the rows refuses what was delivered.
func (m model) refuses(d delivery) bool {
	if d.dhcp {
		return false
	}
	_, pass := m.judge(packet{protocol: uint16(d.protocol), src: d.src, dst: d.dst, port: d.port})
	return !pass
}

// FuzzFrame looks for bytes that reach a socket past the policy.
func FuzzFrame(f *testing.F) {
	d := newDatapath(f)
	plan := compile(f, rowState(), rowHost)
	enforce(f, d, plan)
	for _, r := range rows() {
		f.Add(r.frame)
	}
	// options that cannot be walked, to a subnet's broadcast address
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00" +
		"\x46\x00\x00\x2c\x00\x01\x00\x00\x40\x11\x8a\xf1\xc6\xff\x64\x07\xc0\x00\x02\xff\x01\x01\x01\x94" +
		"\x9c\x40\x01\xbb\x00\x00\x00\x00\x00\x00\x00\x00\x50\x02\xff\xff\x25\xa2\x00\x00"))
	program := d.Program().Plain
	f.Fuzz(func(t *testing.T, frame []byte) {
		checkFrame(t, program, model{plan}, frame)
	})
}

func checkFrame(t *testing.T, program *ebpf.Program, m model, frame []byte) {
	t.Helper()
	if len(frame) < 14 || len(frame) > 3000 {
		return // what the kernel does not run a program on
	}
	ret, err := program.Run(&ebpf.RunOptions{Data: frame})
	if err != nil {
		t.Fatalf("%x: %v", frame, err)
	}
	if ret != xdpDrop && ret != xdpPass {
		t.Fatalf("%x: verdict %d", frame, ret)
	}
	if got, ok := deliver(frame); ok && ret == xdpPass && m.refuses(got) {
		t.Fatalf("%x passes: %+v", frame, got)
	}
}

// TestMutatedFrames does some of that in every run of the tests.
func TestMutatedFrames(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	d := newDatapath(t)
	plan := compile(t, rowState(), rowHost)
	enforce(t, d, plan)
	program, all := d.Program().Plain, rows()
	delivered := 0
	for range 100_000 {
		frame := slices.Clone(all[r.IntN(len(all))].frame)
		for range r.IntN(4) {
			frame[12+r.IntN(len(frame)-12)] = []byte{0, 1, byte(r.Uint32()), 4, 6, 17, 44, 60, 255}[r.IntN(9)]
		}
		if r.IntN(8) == 0 {
			frame = frame[:14+r.IntN(len(frame)-13)]
		}
		if _, ok := deliver(frame); ok {
			delivered++
		}
		checkFrame(t, program, model{plan}, frame)
	}
	if delivered < 10_000 {
		t.Errorf("only %d frames were fit for a socket", delivered)
	}
}
