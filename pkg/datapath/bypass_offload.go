package datapath

import (
	"errors"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// offload finds guarded interfaces whose hardware may take packets past the
// program.
func (s *survey) offload() error {
	for index, guarded := range s.guarded {
		if !guarded {
			continue
		}
		on, err := features(index)
		if err != nil {
			return err
		}
		if slices.Contains(on, "hw-tc-offload") {
			name := s.devs[index].Attrs().Name
			s.add("offload", "ethtool -K "+name+" hw-tc-offload off", "%s may forward flows in hardware, past the program", name)
		}
	}
	return nil
}

// features are an interface's features that are on, by ethtool's names for them.
func features(index int) ([]string, error) {
	const (
		featuresGet            = 11 // ETHTOOL_MSG_FEATURES_GET
		header, active         = 1, 4
		deviceIndex            = 1
		bitsetBits, bit, named = 3, 1, 2
	)
	family, err := netlink.GenlFamilyGet("ethtool")
	if errors.Is(err, unix.ENOENT) {
		return nil, nil // before Linux 5.6
	}
	if err != nil {
		return nil, err
	}
	req := nl.NewNetlinkRequest(int(family.ID), 0)
	req.AddData(&nl.Genlmsg{Command: featuresGet, Version: 1})
	device := nl.NewRtAttr(header|unix.NLA_F_NESTED, nil)
	device.AddRtAttr(deviceIndex, nl.Uint32Attr(uint32(index)))
	req.AddData(device)
	messages, err := req.Execute(unix.NETLINK_GENERIC, 0)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil // a device without features
	}
	if err != nil {
		return nil, err
	}
	var on []string
	for _, m := range messages {
		for _, name := range nested(m[nl.SizeofGenlmsg:], active, bitsetBits, bit, named) {
			on = append(on, nl.BytesToString(name))
		}
	}
	return on, nil
}

// nested finds the values that a path of attribute types leads to.
func nested(attrs []byte, path ...uint16) [][]byte {
	if len(path) == 0 {
		return [][]byte{attrs}
	}
	parsed, err := nl.ParseRouteAttr(attrs)
	if err != nil {
		return nil
	}
	var found [][]byte
	for _, a := range parsed {
		if a.Attr.Type&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER) == path[0] {
			found = append(found, nested(a.Value, path[1:]...)...)
		}
	}
	return found
}
