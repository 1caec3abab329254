package main

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/postern-io/postern/pkg/testenv"
)

// Verdicts of XDP.
const (
	xdpDrop = 1
	xdpPass = 2
)

// driver is a program that stamps the next header of a stream onto the frame and
// hands on to the program that is measured.
type driver struct {
	prog    *ebpf.Program
	frame   []byte
	counter []byte
}

// sweep is memory of which a driver reads the next sweepLines lines before each
// packet, so that what the program touched is out of every cache by the time it
// is wanted again.
type sweep struct {
	array *ebpf.Map
	size  int
}

const (
	cacheLine  = 64
	sweepLines = 16
)

// newSweep is a sweep of four times a cache, up to what a program can address.
func newSweep(s *testenv.Stage, cache int) *sweep {
	size := 1 << min(bits.Len(uint(4*cache-1)), 28)
	m, _ := newMemory(s, size)
	return &sweep{m, size}
}

// newDriver makes a driver that hands on to target. Its counter is its own: two
// drivers on two CPUs share nothing that is written.
func newDriver(s *testenv.Stage, st *stream, target *ebpf.Program, cold *sweep) *driver {
	targets, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.ProgramArray, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	s.Check(err)
	s.Cleanup(func() { targets.Close() })
	s.Check(targets.Put(uint32(0), target))
	return st.driver(s, cold, asm.Instructions{
		asm.Mov.Reg(asm.R1, asm.R6),
		asm.LoadMapPtr(asm.R2, targets.FD()),
		asm.Mov.Imm(asm.R3, 0),
		asm.FnTailCall.Call(),
	})
}

// driver makes a program that stamps and then does what next says, with the
// context in R6.
func (st *stream) driver(s *testenv.Stage, cold *sweep, next asm.Instructions) *driver {
	counter, count := newMemory(s, 8)
	code := asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadMem(asm.R7, asm.R6, 0, asm.Word), // data
		asm.LoadMem(asm.R8, asm.R6, 4, asm.Word), // data_end
		asm.Mov.Reg(asm.R1, asm.R7),
		asm.Add.Imm(asm.R1, int32(st.at+st.slot)),
		asm.JGT.Reg(asm.R1, asm.R8, "out"),
		asm.LoadMapValue(asm.R2, counter.FD(), 0),
		asm.LoadMem(asm.R9, asm.R2, 0, asm.DWord),
		asm.Mov.Reg(asm.R1, asm.R9),
		asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(asm.R2, 0, asm.R1, asm.DWord),
	}
	code = append(code, st.stampNext()...)
	code = append(code, cold.read()...)
	code = append(code, next...)
	code = append(code, asm.Mov.Imm(asm.R0, 0).WithSymbol("out"), asm.Return())
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "driver", Type: ebpf.XDP, AttachType: ebpf.AttachXDP, Instructions: code, License: "Dual BSD/GPL",
	})
	s.Check(err)
	s.Cleanup(func() { prog.Close() })
	return &driver{prog, slices.Clone(st.frame), count}
}

// stampNext copies header number R9 to the frame at R7.
func (st *stream) stampNext() asm.Instructions {
	code := asm.Instructions{
		asm.Mov.Reg(asm.R2, asm.R9),
		asm.And.Imm(asm.R2, headers-1),
		asm.Mul.Imm(asm.R2, int32(st.slot)),
		asm.LoadMapValue(asm.R1, st.array.FD(), 0),
		asm.Add.Reg(asm.R1, asm.R2),
	}
	sizes := map[int]asm.Size{2: asm.Half, 4: asm.Word, 8: asm.DWord}
	off := 0
	for _, w := range st.widths {
		code = append(code,
			asm.LoadMem(asm.R0, asm.R1, int16(off), sizes[w]),
			asm.StoreMem(asm.R7, int16(st.at+off), asm.R0, sizes[w]))
		off += w
	}
	return code
}

// read touches the next lines of the sweep, if there is one.
func (sw *sweep) read() asm.Instructions {
	if sw == nil {
		return nil
	}
	code := asm.Instructions{
		asm.And.Imm(asm.R9, int32(sw.size/(cacheLine*sweepLines)-1)),
		asm.Mul.Imm(asm.R9, cacheLine*sweepLines),
		asm.LoadMapValue(asm.R1, sw.array.FD(), 0),
		asm.Add.Reg(asm.R1, asm.R9),
	}
	for i := range sweepLines {
		code = append(code, asm.LoadMem(asm.R0, asm.R1, int16(i*cacheLine), asm.DWord))
	}
	return code
}

// run judges n packets and returns the time of one, and the last one's verdict.
func (d *driver) run(s *testenv.Stage, n int) (ns float64, verdict uint32) {
	verdict, took, err := d.prog.Benchmark(d.frame, n, nil)
	s.Check(err)
	return float64(took.Nanoseconds()), verdict
}

// stamped is how many headers were stamped so far.
func (d *driver) stamped() uint64 { return binary.NativeEndian.Uint64(d.counter) }

// newVerdict is a program that knows one verdict. The one that drops is the bare
// drop everything is compared with.
func newVerdict(s *testenv.Stage, verdict int32) *ebpf.Program {
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "verdict", Type: ebpf.XDP, AttachType: ebpf.AttachXDP, License: "Dual BSD/GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, verdict), asm.Return()},
	})
	s.Check(err)
	s.Cleanup(func() { prog.Close() })
	return prog
}
