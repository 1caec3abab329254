package addr

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Error is a text that is no address expression, and why.
type Error struct {
	What   string // what was read: why it is refused
	Remedy string // what to write instead; "" where there is more than one answer
}

func (e *Error) Error() string {
	if e.Remedy == "" {
		return e.What
	}
	return e.What + "; " + e.Remedy
}

func refusal(kind, text, cause, fix string) *Error {
	e := &Error{What: fmt.Sprintf("%s %s: %s", kind, show(text), cause)}
	if fix != "" {
		e.Remedy = "write " + fix
	}
	return e
}

// show bounds and quotes what came from outside, so that it cannot forge a line
// of output.
func show(text string) string {
	const most = 80
	if len(text) > most {
		text = text[:most] + "..."
	}
	plain := strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) < 0
	if plain && text != "" {
		return text
	}
	return strconv.Quote(text)
}

// addrFault says why text is no address, and what it should have been.
func addrFault(text string) (cause, fix string) {
	if text == "" {
		return "empty", ""
	}
	if ip, _, ok := strings.Cut(text, "%"); ok {
		return "has a zone, which no packet carries", sound(ip)
	}
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return "has a port", ap.Addr().String()
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		return "has brackets", sound(strings.TrimSuffix(inner, "]"))
	}
	if dash := strings.NewReplacer("–", "-", "—", "-").Replace(text); dash != text {
		return `its dash is not "-"`, sound(dash)
	}
	return dottedFault(text)
}

// sound is text where Parse accepts it, else "".
func sound(text string) string {
	if _, err := Parse(text); err != nil {
		return ""
	}
	return text
}

// dottedFault looks at the four numbers of an IPv4 address, or of the IPv4 tail
// of an IPv6 one.
func dottedFault(text string) (cause, fix string) {
	tail := strings.LastIndexByte(text, ':') + 1
	fields := strings.Split(text[tail:], ".")
	if len(fields) != 4 {
		return "not an IP address", ""
	}
	octal := make([]string, len(fields))
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return "not an IP address", ""
		}
		if n > 255 {
			return fmt.Sprintf("%s is more than 255", f), ""
		}
		octal[i] = f
		if o, err := strconv.ParseUint(f, 8, 64); err == nil && f[0] == '0' {
			octal[i] = strconv.FormatUint(o, 10)
		}
		fields[i] = strconv.FormatUint(n, 10)
	}
	return zeroFault(text[:tail]+strings.Join(fields, "."), text[:tail]+strings.Join(octal, "."))
}

// zeroFault is about leading zeros, which some readers take for octal: the
// correction is only certain where both readings agree or one makes no address.
func zeroFault(decimal, octal string) (cause, fix string) {
	if _, ok := readAddr(decimal); !ok {
		return "not an IP address", ""
	}
	if _, ok := readAddr(octal); ok && octal != decimal {
		return fmt.Sprintf("a leading zero may mean %s or, read as octal, %s", decimal, octal), ""
	}
	return "leading zero", decimal
}

// prefixFault says why ip/bits is no prefix.
func prefixFault(ip, bits string) (cause, fix string) {
	a, ok := readAddr(ip)
	if !ok {
		cause, fix = addrFault(ip)
		if fix != "" {
			fix = sound(fix + "/" + bits)
		}
		return cause, fix
	}
	if bits == "" {
		return "no prefix length", ""
	}
	if mask, ok := readAddr(bits); ok {
		ones, size := net.IPMask(mask.AsSlice()).Size()
		if size != a.BitLen() {
			return show(bits) + " is not a netmask", ""
		}
		return "has a netmask", fmt.Sprintf("%s/%d", ip, ones)
	}
	n, err := strconv.ParseUint(bits, 10, 32)
	switch {
	case err != nil:
		return fmt.Sprintf("prefix length %s is not a number", show(bits)), ""
	case n > uint64(a.BitLen()):
		return fmt.Sprintf("prefix length %d is more than %d", n, a.BitLen()), ""
	}
	return "leading zero in the prefix length", fmt.Sprintf("%s/%d", ip, n)
}

// endFault says which end of first-last is no address.
func endFault(first, last string) (cause, fix string) {
	from, ok := readAddr(first)
	if !ok {
		return partFault(first, func(fix string) string { return fix + "-" + last })
	}
	if n, err := strconv.ParseUint(last, 10, 8); err == nil && from.Is4() {
		ip := from.As4()
		ip[3] = byte(n)
		return "the end is not a whole address", sound(first + "-" + netip.AddrFrom4(ip).String())
	}
	return partFault(last, func(fix string) string { return first + "-" + fix })
}

func partFault(part string, whole func(fix string) string) (cause, fix string) {
	if strings.ContainsRune(part, '/') {
		return fmt.Sprintf("its end %s is a prefix, not an address", show(part)), ""
	}
	cause, fix = addrFault(part)
	if fix != "" {
		fix = sound(whole(fix))
	}
	return fmt.Sprintf("%s: %s", show(part), cause), fix
}

// orderFault says why two addresses are not the ends of a range.
func orderFault(from, to netip.Addr) string {
	if from.BitLen() != to.BitLen() {
		return fmt.Sprintf("begins with %s and ends with %s", family(from), family(to))
	}
	return "ends before it starts"
}

func family(ip netip.Addr) string {
	if ip.Is4() {
		return "IPv4"
	}
	return "IPv6"
}
