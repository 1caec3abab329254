package datapath

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/cilium/ebpf"
	"go4.org/netipx"
)

// probeMax is how many prefixes of a list are probed at most: of a longer list
// every n-th, so that its whole length is covered. Each is asked at four places.
const probeMax = 4096

// prober asks the program what it would answer, before packets ask it.
type prober struct {
	program   *ebpf.Program
	questions []bpfQuestion // the kernel's memory
	want      []uint32
}

// errProbe means that the kernel holds something else than it was given.
var errProbe = errors.New("the kernel does not hold what was loaded")

// ask puts a question; it may be answered only by flush.
func (p *prober) ask(word uint64, a netip.Addr, want uint32) error {
	p.questions[len(p.want)] = bpfQuestion{Word: word, Addr: words(a), Family: uint32(familyOf(a)), Answer: ^want}
	p.want = append(p.want, want)
	if len(p.want) < len(p.questions) {
		return nil
	}
	return p.flush()
}

// flush has the questions answered, and compares.
func (p *prober) flush() error {
	asked := p.want
	p.want = p.want[:0]
	if len(asked) == 0 {
		return nil
	}
	if _, err := p.program.Run(&ebpf.RunOptions{Data: make([]byte, 64)}); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	for i, want := range asked {
		if q := &p.questions[i]; q.Answer != want {
			return fmt.Errorf("probe list %d at %v: answers %d, not %d: %w",
				q.Word>>32, addrOf(q.Addr, int(q.Family)), q.Answer, want, errProbe)
		}
	}
	return nil
}

// edges asks at the edges of prefixes: the first address, the last, and those
// just outside. What neighbours share is asked once.
func (p *prober) edges(word uint64, prefixes []netip.Prefix, want func(netip.Addr) uint32) error {
	var last, before netip.Addr
	for i := 0; i < len(prefixes); i += len(prefixes)/probeMax + 1 {
		r := netipx.RangeOfPrefix(prefixes[i])
		for _, a := range []netip.Addr{r.From().Prev(), r.From(), r.To(), r.To().Next()} {
			if !a.IsValid() || a == last || a == before {
				continue
			}
			last, before = a, last
			if err := p.ask(word, a, want(a)); err != nil {
				return err
			}
		}
	}
	return nil
}
