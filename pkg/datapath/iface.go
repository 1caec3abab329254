package datapath

import (
	"errors"
	"fmt"
	"time"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
)

// Interface is a guarded interface, as status shows it.
type Interface struct {
	Name  string
	Index int           // 0 while no interface has that name
	Mode  string        // native or generic; "" while it is not attached
	Why   string        // what kept it from a better way; "" where nothing did
	Since time.Time     // when it was attached
	Gap   time.Duration // how long it was there unguarded: it came after the agent
	Err   error         // why it is not attached, or not as it should be
}

// errAbsent is no mistake: an interface may come later, and is guarded then.
var errAbsent = errors.New("no such interface; it is guarded when it comes")

// guardable says why dev cannot be guarded, and what can.
func guardable(dev netlink.Link) error {
	attrs := dev.Attrs()
	if attrs.EncapType != "ether" {
		return fmt.Errorf("not an Ethernet device but %s: its packets have no Ethernet header to read", attrs.EncapType)
	}
	if attrs.MasterIndex == 0 {
		return nil
	}
	master, err := netlink.LinkByIndex(attrs.MasterIndex)
	if err != nil {
		return fmt.Errorf("find its master: %w", err)
	}
	switch kind := master.Type(); kind {
	case "bond", "team", "bridge":
		return fmt.Errorf("it is a port of the %s %[2]s; name %[2]s", kind, master.Attrs().Name)
	}
	return nil
}

// occupant names the program on dev; "" where there is none.
func occupant(dev netlink.Link) string {
	xdp := dev.Attrs().Xdp
	if xdp == nil || !xdp.Attached {
		return ""
	}
	// The name needs CAP_SYS_ADMIN, which the agent need not have.
	if prog, err := ebpf.NewProgramFromID(ebpf.ProgramID(xdp.ProgId)); err == nil {
		defer prog.Close()
		if info, err := prog.Info(); err == nil {
			return fmt.Sprintf("XDP program %d (%s)", xdp.ProgId, info.Name)
		}
	}
	return fmt.Sprintf("XDP program %d", xdp.ProgId)
}

// attachedMode is where dev runs its program.
func attachedMode(dev netlink.Link) string {
	switch xdp := dev.Attrs().Xdp; {
	case xdp == nil || !xdp.Attached:
		return ""
	case xdp.AttachMode == nl.XDP_ATTACHED_SKB:
		return "generic"
	default:
		return "native"
	}
}
