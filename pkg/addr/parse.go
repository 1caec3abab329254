package addr

import (
	"net/netip"
	"strings"

	"go4.org/netipx"
)

const blank = " \t"

// Parse reads an address, a prefix (host bits are masked off) or a range
// first-last, with blanks allowed around it and around the "-". Its error is an
// *Error.
func Parse(text string) (Range, error) {
	text = strings.Trim(text, blank)
	if first, last, ok := strings.Cut(text, "-"); ok {
		return parseRange(strings.TrimRight(first, blank), strings.TrimLeft(last, blank))
	}
	if strings.Contains(text, "/") {
		return parsePrefix(text)
	}
	return parseAddr(text)
}

// ParsePair reads a range given as two addresses; with end "" it is start alone.
func ParsePair(start, end string) (Range, error) {
	start, end = strings.Trim(start, blank), strings.Trim(end, blank)
	if end == "" {
		return parseAddr(start)
	}
	return parseRange(start, end)
}

func parseAddr(text string) (Range, error) {
	ip, ok := readAddr(text)
	if !ok {
		cause, fix := addrFault(text)
		return Range{}, refusal("address", text, cause, fix)
	}
	return netipx.IPRangeFrom(ip, ip), nil
}

func parsePrefix(text string) (Range, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		ip, bits, _ := strings.Cut(text, "/")
		cause, fix := prefixFault(ip, bits)
		return Range{}, refusal("prefix", text, cause, fix)
	}
	return netipx.RangeOfPrefix(p), nil
}

func parseRange(first, last string) (Range, error) {
	from, ok1 := readAddr(first)
	to, ok2 := readAddr(last)
	if !ok1 || !ok2 {
		cause, fix := endFault(first, last)
		return Range{}, refusal("range", first+"-"+last, cause, fix)
	}
	r := netipx.IPRangeFrom(from, to)
	if !r.IsValid() {
		return Range{}, refusal("range", first+"-"+last, orderFault(from, to), "")
	}
	return r, nil
}

// readAddr refuses zones: a packet has none.
func readAddr(text string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(text)
	return ip, err == nil && ip.Zone() == ""
}
