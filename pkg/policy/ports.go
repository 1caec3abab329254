package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// ParsePorts reads all, a port or first-last.
func ParsePorts(text string) (PortRange, error) {
	if text == "all" {
		return AllPorts, nil
	}
	first, last, ok := strings.Cut(text, "-")
	if !ok {
		last = first
	}
	from, err1 := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	to, err2 := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	switch {
	case err1 != nil || err2 != nil || from == 0:
		return PortRange{}, fmt.Errorf("port %q: not all, a number from 1 to 65535, or first-last", text)
	case to < from:
		return PortRange{}, fmt.Errorf("ports %s: ends before it starts", text)
	}
	return PortRange{First: uint16(from), Last: uint16(to)}, nil
}
