package main

import "github.com/postern-io/postern/pkg/testenv"

// segment is a TCP packet of a flow.
func segment(f flow) []byte {
	return packet(f, testenv.TCP{Src: 40000, Dst: port})
}

// datagram is a UDP packet of a flow, without a checksum: it stays right when the
// source is stamped anew.
func datagram(f flow) []byte {
	frame := packet(f, testenv.UDP{Src: 40000, Dst: port})
	frame[len(frame)-2], frame[len(frame)-1] = 0, 0
	return frame
}

func packet(f flow, layers ...testenv.Layer) []byte {
	var ip testenv.Layer = testenv.IPv4{Src: f.src, Dst: f.dst()}
	if f.src.Is6() {
		ip = testenv.IPv6{Src: f.src, Dst: f.dst()}
	}
	return testenv.Packet(append([]testenv.Layer{testenv.Ether{}, ip}, layers...)...)
}
