package datapath

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// way is one way to attach: where the program runs, and which form of it.
type way struct{ generic, frags bool }

// ways are best first. A driver without fragments may still be native, and a
// generic program that knows fragments spares the kernel copying a packet flat.
var ways = []way{{false, true}, {false, false}, {true, true}, {true, false}}

func (w way) mode() string {
	if w.generic {
		return "generic"
	}
	return "native"
}

func (w way) String() string {
	if w.frags {
		return w.mode() + " with fragments"
	}
	return w.mode()
}

func (w way) flags() link.XDPAttachFlags {
	if w.generic {
		return link.XDPGenericMode
	}
	return link.XDPDriverMode
}

func (p Programs) form(frags bool) *ebpf.Program {
	if frags {
		return p.Frags
	}
	return p.Plain
}

// attachment is a program on a device, pinned so that it outlives the agent.
type attachment struct {
	link link.Link
	path string
	mode string
	why  string // what kept it from the best way
}

// newAttachment puts p on a device, the best way the device takes, and pins it.
// Which errno means "not this way" differs by driver and kernel, so every way is
// tried after any error but one: a busy hook, where a worse way must not win over
// a better one that is free in a moment. A link that was let go of takes
// milliseconds to leave.
func newAttachment(ctx context.Context, p Programs, ways []way, index int, path string) (*attachment, error) {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	for {
		a, err := tryWays(p, ways, index)
		if err == nil {
			return a, a.pin(path)
		}
		if !busy(err) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func tryWays(p Programs, ways []way, index int) (*attachment, error) {
	var refused []string
	for _, w := range ways {
		prog := p.form(w.frags)
		if prog == nil {
			continue
		}
		l, err := link.AttachXDP(link.XDPOptions{Program: prog, Interface: index, Flags: w.flags()})
		if err == nil {
			return &attachment{link: l, mode: w.mode(), why: strings.Join(refused, "; ")}, nil
		}
		if busy(err) {
			return nil, err
		}
		refused = append(refused, fmt.Sprintf("%v: %v", w, cause(err)))
	}
	return nil, errors.New(strings.Join(refused, "; "))
}

// busy reports that a program is on the hook: in this mode, in the other mode, or
// on a device above.
func busy(err error) bool {
	return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EEXIST)
}

// cause is err without what its package says about itself.
func cause(err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return errno
	}
	return err
}

func (a *attachment) pin(path string) error {
	if err := a.link.Pin(path); err != nil {
		a.link.Close()
		return fmt.Errorf("pin %s: %w", path, err)
	}
	a.path = path
	return nil
}

// openAttachment finds what an earlier agent left at path. It is nil where there
// is nothing, or only the remains of a device that has gone.
func openAttachment(path string) (*attachment, error) {
	l, err := link.LoadPinnedLink(path, nil)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, cause(err))
	}
	a := &attachment{link: l, path: path, why: "kept as an earlier agent attached it"}
	if !a.alive() {
		return nil, a.remove()
	}
	return a, nil
}

// alive reports whether the device is still there. The kernel severs a link from
// a device that goes, and a device of the same index may come later.
func (a *attachment) alive() bool {
	info, err := a.link.Info()
	return err == nil && info.XDP() != nil && info.XDP().Ifindex != 0
}

// update puts p in the place of the program that is there: a packet meets the
// one or the other. The mode stays.
func (a *attachment) update(p Programs) error {
	var errs []error
	for _, prog := range []*ebpf.Program{p.Frags, p.Plain} {
		if prog == nil {
			continue
		}
		err := a.link.Update(prog)
		if err == nil {
			return nil
		}
		errs = append(errs, cause(err))
	}
	return fmt.Errorf("update the program: %w", errors.Join(errs...))
}

// since is when it was attached: the pin is made once and never touched.
func (a *attachment) since() time.Time {
	info, err := os.Stat(a.path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// remove ends it, at once: letting go of the last reference would also detach,
// but some milliseconds later.
func (a *attachment) remove() error {
	var errs []error
	if a.alive() {
		errs = append(errs, a.link.Detach())
	}
	errs = append(errs, a.link.Unpin(), a.link.Close())
	return errors.Join(errs...)
}
