package datapath

import (
	"encoding/binary"
	"slices"
)

// span is local ports, from the first to the last.
type span struct{ first, last uint16 }

// maxSpans bounds what the kernel compares each socket with.
const maxSpans = 64

// spans cover sorted ports: exactly, or with what lies between the nearest where
// these are too many.
func spans(ports []uint16) []span {
	var all []span
	step := step(ports)
	for _, p := range ports {
		if n := len(all); n > 0 && p-all[n-1].last <= step {
			all[n-1].last = p
		} else {
			all = append(all, span{p, p})
		}
	}
	return all
}

// step is from a port to the next in its span, at most: as many steps are wider as
// there may be spans.
func step(ports []uint16) uint16 {
	var steps []uint16
	for i := 1; i < len(ports); i++ {
		steps = append(steps, ports[i]-ports[i-1])
	}
	if len(steps) < maxSpans {
		return 1
	}
	slices.Sort(steps)
	return steps[len(steps)-maxSpans]
}

// What inet_diag runs over each socket: struct inet_diag_bc_op, whose yes and no
// say how many bytes on it goes. Who comes to the end exactly is in.
const (
	reqBytecode = 1 // INET_DIAG_REQ_BYTECODE

	opJump    = 1 // INET_DIAG_BC_JMP, by no
	opAtLeast = 2 // INET_DIAG_BC_S_GE: the local port, with the no of the op that follows
	opAtMost  = 3 // INET_DIAG_BC_S_LE

	opSize   = 4
	spanSize = 5 * opSize // two comparisons with their ports, and a jump
)

// bytecode lets through what is on a port of a span. The last one has no jump:
// who passes it is at the end, and who fails it beyond.
func bytecode(on []span) []byte {
	var code []byte
	op := func(kind, yes byte, no int) {
		code = append(code, kind, yes)
		code = binary.NativeEndian.AppendUint16(code, uint16(no))
	}
	for i, s := range on {
		if i > 0 {
			op(opJump, opSize, spanSize*(len(on)-i))
		}
		op(opAtLeast, 2*opSize, spanSize)
		op(0, 0, int(s.first))
		op(opAtMost, 2*opSize, spanSize-2*opSize)
		op(0, 0, int(s.last))
	}
	return code
}
