package datapath

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/cilium/ebpf"
	"go4.org/netipx"
)

// prober asks the program what it would answer, before packets ask it.
type prober struct {
	program   *ebpf.Program
	questions []bpfQuestion // the kernel's memory
	want      []uint32
}

// errProbe means that the kernel holds something else than it was given.
var errProbe = errors.New("the kernel does not hold what was loaded")

// ask puts a question; it may be answered only by flush.
func (p *prober) ask(word uint64, family int, addr [2]uint64, want uint32) error {
	p.questions[len(p.want)] = bpfQuestion{Word: word, Addr: addr, Family: uint32(family), Answer: ^want}
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

// edges asks at the edges of a prefix: the first address, the last, and those just
// outside.
func (p *prober) edges(word uint64, prefix netip.Prefix, want func(netip.Addr) uint32) error {
	r := netipx.RangeOfPrefix(prefix)
	for _, a := range []netip.Addr{r.From().Prev(), r.From(), r.To(), r.To().Next()} {
		if !a.IsValid() {
			continue
		}
		if err := p.ask(word, familyOf(a), words(a), want(a)); err != nil {
			return err
		}
	}
	return nil
}
