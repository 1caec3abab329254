package testenv

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// Packet builds a frame, or a packet, of layers, the outermost first. Lengths,
// types and checksums follow from what a layer carries; whoever needs them wrong
// writes over them.
func Packet(layers ...Layer) []byte {
	var packet []byte
	var inner Layer = Data{}
	for _, l := range slices.Backward(layers) {
		packet = l.wrap(packet, inner)
		inner = l
	}
	return packet
}

// Layer is one header, with the means to name itself in the header around it.
type Layer interface {
	wrap(payload []byte, inner Layer) []byte
	number(link bool) uint16 // as an EtherType or as an IP protocol
}

// Numbers of what a layer can be in another.
const (
	protoICMP    = 1
	protoIPv4    = 4
	protoTCP     = 6
	protoUDP     = 17
	protoIPv6    = 41
	protoFrag    = 44
	protoAuth    = 51
	protoICMPv6  = 58
	etherIPv4    = 0x0800
	etherVLAN    = 0x8100
	etherIPv6    = 0x86dd
	ipHeaderSize = 20
)

// Ether is an Ethernet header. Type 0 is that of what it carries.
type Ether struct {
	Dst, Src [6]byte
	Type     uint16
}

func (e Ether) number(bool) uint16 { return 0x6558 }

func (e Ether) wrap(payload []byte, inner Layer) []byte {
	if e.Type == 0 {
		e.Type = inner.number(true)
	}
	head := append(slices.Clone(e.Dst[:]), e.Src[:]...)
	return append(binary.BigEndian.AppendUint16(head, e.Type), payload...)
}

// VLAN is a tag. Type is its own: 0 is 0x8100.
type VLAN struct{ ID, Type uint16 }

func (v VLAN) number(bool) uint16 {
	if v.Type == 0 {
		return etherVLAN
	}
	return v.Type
}

func (v VLAN) wrap(payload []byte, inner Layer) []byte {
	head := binary.BigEndian.AppendUint16(nil, v.ID)
	return append(binary.BigEndian.AppendUint16(head, inner.number(true)), payload...)
}

// IPv4 is an IPv4 header. TTL 0 is 64. Offset is a fragment's, in bytes.
type IPv4 struct {
	Src, Dst netip.Addr
	TTL      uint8
	Options  []byte // padded with zeroes to a multiple of four
	Offset   int
	More     bool // more fragments follow
}

func (ip IPv4) number(link bool) uint16 {
	if link {
		return etherIPv4
	}
	return protoIPv4
}

func (ip IPv4) wrap(payload []byte, inner Layer) []byte {
	size := ipHeaderSize + (len(ip.Options)+3)/4*4
	h := make([]byte, size, size+len(payload))
	h[0] = 4<<4 | byte(size/4)
	binary.BigEndian.PutUint16(h[2:], uint16(size+len(payload)))
	binary.BigEndian.PutUint16(h[4:], 1) // identification, the same for all fragments
	binary.BigEndian.PutUint16(h[6:], fragment(ip.Offset, ip.More, 0x2000))
	h[8] = hops(ip.TTL)
	h[9] = byte(inner.number(false))
	src, dst := ip.Src.As4(), ip.Dst.As4()
	copy(h[12:], src[:])
	copy(h[16:], dst[:])
	copy(h[ipHeaderSize:], ip.Options)
	binary.BigEndian.PutUint16(h[10:], checksum(0, h))
	if ip.Offset == 0 && !ip.More {
		seal(payload, inner, src[:], dst[:])
	}
	return append(h, payload...)
}

// fragment is the field that says where a fragment lies: in units of eight bytes,
// with the bits above that in IPv4.
func fragment(offset int, more bool, bit uint16) uint16 {
	field := uint16(offset / 8)
	if more {
		field |= bit
	}
	return field
}

func hops(n uint8) uint8 {
	if n == 0 {
		return 64
	}
	return n
}

// IPv6 is an IPv6 header. Hops 0 is 64.
type IPv6 struct {
	Src, Dst netip.Addr
	Hops     uint8
}

func (ip IPv6) number(link bool) uint16 {
	if link {
		return etherIPv6
	}
	return protoIPv6
}

func (ip IPv6) wrap(payload []byte, inner Layer) []byte {
	h := make([]byte, 40, 40+len(payload))
	h[0] = 6 << 4
	binary.BigEndian.PutUint16(h[4:], uint16(len(payload)))
	h[6], h[7] = byte(inner.number(false)), hops(ip.Hops)
	src, dst := ip.Src.As16(), ip.Dst.As16()
	copy(h[8:], src[:])
	copy(h[24:], dst[:])
	seal(payload, inner, src[:], dst[:])
	return append(h, payload...)
}

// Extension is an IPv6 extension header: its own number, and what stands behind
// its first two bytes, padded with zeroes to a multiple of eight in all.
type Extension struct {
	Header uint8
	Body   []byte
}

func (e Extension) number(bool) uint16 { return uint16(e.Header) }

func (e Extension) wrap(payload []byte, inner Layer) []byte {
	size := (2 + len(e.Body) + 7) / 8 * 8
	h := make([]byte, size, size+len(payload))
	h[0], h[1] = byte(inner.number(false)), byte(size/8-1)
	if e.Header == protoAuth {
		h[1] = byte(size/4 - 2)
	}
	copy(h[2:], e.Body)
	return append(h, payload...)
}

// Fragment is an IPv6 fragment header. Offset is in bytes.
type Fragment struct {
	Offset int
	More   bool
}

func (f Fragment) number(bool) uint16 { return protoFrag }

func (f Fragment) wrap(payload []byte, inner Layer) []byte {
	h := make([]byte, 8, 8+len(payload))
	h[0] = byte(inner.number(false))
	binary.BigEndian.PutUint16(h[2:], fragment(f.Offset, false, 0)<<3|fragment(0, f.More, 1))
	binary.BigEndian.PutUint32(h[4:], 1)
	return append(h, payload...)
}

// TCP is the header of a connection's first segment.
type TCP struct{ Src, Dst uint16 }

func (TCP) number(bool) uint16 { return protoTCP }

func (s TCP) wrap(payload []byte, _ Layer) []byte {
	h := make([]byte, 20, 20+len(payload))
	binary.BigEndian.PutUint16(h, s.Src)
	binary.BigEndian.PutUint16(h[2:], s.Dst)
	h[12], h[13] = 5<<4, 0x02
	binary.BigEndian.PutUint16(h[14:], 0xffff)
	return append(h, payload...)
}

// UDP is a UDP header.
type UDP struct{ Src, Dst uint16 }

func (UDP) number(bool) uint16 { return protoUDP }

func (u UDP) wrap(payload []byte, _ Layer) []byte {
	h := make([]byte, 8, 8+len(payload))
	binary.BigEndian.PutUint16(h, u.Src)
	binary.BigEndian.PutUint16(h[2:], u.Dst)
	binary.BigEndian.PutUint16(h[4:], uint16(8+len(payload)))
	return append(h, payload...)
}

// ICMP is the header of an ICMP message, or with V6 of an ICMPv6 one.
type ICMP struct {
	V6         bool
	Type, Code uint8
}

func (m ICMP) number(bool) uint16 {
	if m.V6 {
		return protoICMPv6
	}
	return protoICMP
}

func (m ICMP) wrap(payload []byte, _ Layer) []byte {
	h := make([]byte, 8, 8+len(payload))
	h[0], h[1] = m.Type, m.Code
	h = append(h, payload...)
	if !m.V6 {
		binary.BigEndian.PutUint16(h[2:], checksum(0, h))
	}
	return h
}

// Data is bytes of any protocol.
type Data struct {
	Protocol uint16
	Bytes    []byte
}

func (d Data) number(bool) uint16 { return d.Protocol }

func (d Data) wrap(payload []byte, _ Layer) []byte { return append(slices.Clone(d.Bytes), payload...) }

// seal writes the checksum that covers the addresses too. Behind extension
// headers there is none: nobody here looks at it.
func seal(payload []byte, inner Layer, src, dst []byte) {
	var at int
	switch inner.(type) {
	case TCP:
		at = 16
	case UDP:
		at = 6
	case ICMP:
		if inner.number(false) != protoICMPv6 {
			return
		}
		at = 2
	default:
		return
	}
	pseudo := sum(uint32(len(payload))+uint32(inner.number(false)), slices.Concat(src, dst))
	binary.BigEndian.PutUint16(payload[at:], checksum(pseudo, payload))
}

// checksum is the Internet's, from a sum so far.
func checksum(from uint32, b []byte) uint16 {
	s := sum(from, b)
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}

func sum(s uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}
