package main

import (
	"net/netip"

	"github.com/postern-io/postern/pkg/testenv"
)

// frame is a deed: a packet from the row's address to its endpoint.
type frame struct {
	tags   []testenv.Layer // outside the IP header
	ip     testenv.IPv4    // options and fragmentation, for IPv4
	inside []testenv.Layer
}

func (f frame) do(w *world, r row) sight { return w.send(r, f) }

// bytes is f as it stands on the wire.
func (f frame) bytes(w *world, from, to netip.Addr) []byte {
	layers := []testenv.Layer{testenv.Ether{Dst: [6]byte(w.edge.MAC), Src: [6]byte(w.around.MAC)}}
	layers = append(layers, f.tags...)
	if from.Is4() {
		f.ip.Src, f.ip.Dst = from, to
		layers = append(layers, f.ip)
	} else {
		layers = append(layers, testenv.IPv6{Src: from, Dst: to})
	}
	return testenv.Packet(append(layers, f.inside...)...)
}

func carry(layers ...testenv.Layer) frame { return frame{inside: layers} }

func syn(port uint16) frame { return carry(testenv.TCP{Src: 40000, Dst: port}) }

func datagram(port uint16) frame { return carry(testenv.UDP{Src: 40000, Dst: port}) }

// other carries bytes of a protocol.
func other(protocol uint16, bytes ...byte) frame {
	return carry(testenv.Data{Protocol: protocol, Bytes: bytes})
}

func (f frame) tagged(tags ...testenv.Layer) frame { f.tags = tags; return f }

func (f frame) options(bytes ...byte) frame { f.ip.Options = bytes; return f }

func (f frame) fragment(offset int, more bool) frame {
	f.ip.Offset, f.ip.More = offset, more
	return f
}
