package main

import (
	"encoding/binary"
	"net/netip"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// flow is who sends to which endpoint.
type flow struct {
	src netip.Addr
	to  *policy.Endpoint
}

func (f flow) dst() netip.Addr { return f.to.Destination.Prefix.Addr() }

// stream is a great many headers made beforehand, one behind the other in the
// memory of a BPF array. A driver stamps each onto the frame in turn: the
// kernel's test run repeats one frame, and what is measured with one frame is
// measured with everything in the first-level cache.
type stream struct {
	stamp
	array *ebpf.Map
	mem   []byte
	frame []byte // what is stamped
}

// headers is how many a stream has: enough that each endpoint of the largest load
// is met and each leaf of the longest list's tree, and few enough to leave the
// caches to the program.
const headers = 1 << 18

// stamp says which bytes of a frame differ from packet to packet. They are
// written by the words they are read in later: a load that spans two stores
// waits for both.
type stamp struct {
	at     int
	widths []int
	slot   int // bytes from one header to the next, a power of two
}

var (
	stamp4 = stamp{at: 24, widths: []int{2, 4, 4}, slot: 16} // checksum, source, destination
	stamp6 = stamp{at: 22, widths: []int{8, 8, 8, 8}, slot: 32}
)

// newStream makes a stream for copies of frame, an IPv4 or IPv6 packet on
// Ethernet.
func newStream(s *testenv.Stage, frame []byte) *stream {
	st := &stream{stamp: stamp4, frame: frame}
	if frame[14]>>4 == 6 {
		st.stamp = stamp6
	}
	st.array, st.mem = newMemory(s, headers*st.slot)
	return st
}

// newMemory is memory that programs and we both see.
func newMemory(s *testenv.Stage, size int) (*ebpf.Map, []byte) {
	m, err := ebpf.NewMap(&ebpf.MapSpec{
		Type: ebpf.Array, KeySize: 4, ValueSize: uint32(size), MaxEntries: 1, Flags: unix.BPF_F_MMAPABLE,
	})
	s.Check(err)
	s.Cleanup(func() { m.Close() })
	mem, err := unix.Mmap(m.FD(), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	s.Check(err)
	s.Cleanup(func() { _ = unix.Munmap(mem) })
	return m, mem
}

// fill writes the headers of flows into the stream, over and over until it is
// full.
func (st *stream) fill(flows []flow) {
	base := st.base()
	for i := range headers {
		slot := st.mem[i*st.slot:][:st.slot]
		if i >= len(flows) {
			copy(slot, st.mem[(i-len(flows))*st.slot:])
			continue
		}
		if src, dst := flows[i].src, flows[i].dst(); src.Is6() {
			write(slot, src, dst)
		} else {
			write(slot[2:], src, dst)
			binary.BigEndian.PutUint16(slot, ^fold(base+sum(slot[2:10])))
		}
	}
}

func write(to []byte, src, dst netip.Addr) {
	copy(to[copy(to, src.AsSlice()):], dst.AsSlice())
}

// base is the sum of what the checksum of an IPv4 header covers beside its
// addresses.
func (st *stream) base() uint32 { return sum(st.frame[14:24]) }

// sum adds words as the Internet's checksum does; fold carries round.
func sum(b []byte) (s uint32) {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	return s
}

func fold(s uint32) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
