package addr

import (
	"strings"
	"testing"
)

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, in, want string
		err            string
	}{
		{name: "single-v4", in: "192.0.2.7", want: "192.0.2.7"},
		{name: "single-v6", in: "2001:db8::7", want: "2001:db8::7"},
		{name: "v6-long-form", in: "2001:0DB8:0:0:0:0:0:7", want: "2001:db8::7"},
		{name: "blanks-around", in: " \t192.0.2.7 ", want: "192.0.2.7"},
		{name: "prefix-v4", in: "192.0.2.0/24", want: "192.0.2.0/24"},
		{name: "prefix-host-bits", in: "192.176.1.1/24", want: "192.176.1.0/24"},
		{name: "prefix-loopback-host-bits", in: "127.0.0.1/24", want: "127.0.0.0/24"},
		{name: "prefix-v6-host-bits", in: "2001:db8::1/64", want: "2001:db8::/64"},
		{name: "prefix-of-one", in: "192.0.2.7/32", want: "192.0.2.7"},
		{name: "everything-v4", in: "0.0.0.0/0", want: "0.0.0.0/0"},
		{name: "everything-v6", in: "::/0", want: "::/0"},
		{name: "range-v4", in: "1.1.1.0-1.1.2.250", want: "1.1.1.0-1.1.2.250"},
		{name: "range-v6", in: "2001:db8::1-2001:db8::ff", want: "2001:db8::1-2001:db8::ff"},
		{name: "range-blanks", in: "1.1.1.0 \t-  1.1.2.250", want: "1.1.1.0-1.1.2.250"},
		{name: "range-that-is-a-prefix", in: "10.0.0.0-10.0.0.255", want: "10.0.0.0/24"},
		{name: "range-of-one", in: "10.0.0.1-10.0.0.1", want: "10.0.0.1"},
		{name: "range-of-all", in: "0.0.0.0-255.255.255.255", want: "0.0.0.0/0"},
		{name: "mapped-single", in: "::ffff:10.0.0.1", want: "::ffff:10.0.0.1"},
		{name: "mapped-hex", in: "::ffff:0a00:0001", want: "::ffff:10.0.0.1"},
		{name: "mapped-prefix", in: "::ffff:1.2.3.4/120", want: "::ffff:1.2.3.0/120"},
		{name: "mapped-short-prefix", in: "::ffff:1.2.3.4/24", want: "::/24"},
		{name: "mapped-range", in: "::ffff:10.0.0.1-::ffff:10.0.0.9", want: "::ffff:10.0.0.1-::ffff:10.0.0.9"},

		{name: "empty", in: "", err: `address "": empty`},
		{name: "blank", in: "  ", err: `address "": empty`},
		{name: "name", in: "example.com", err: "address example.com: not an IP address"},
		{name: "three-numbers", in: "10.0.1", err: "address 10.0.1: not an IP address"},
		{name: "integer", in: "167772161", err: "address 167772161: not an IP address"},
		{name: "octet-too-large", in: "10.0.0.256", err: "address 10.0.0.256: 256 is more than 255"},
		{name: "v6-field-too-long", in: "2001:00db8::1", err: "address 2001:00db8::1: not an IP address"},
		{name: "zone", in: "fe80::1%eth0", err: "address fe80::1%eth0: has a zone, which no packet carries; write fe80::1"},
		{name: "port-v4", in: "192.0.2.7:443", err: "address 192.0.2.7:443: has a port; write 192.0.2.7"},
		{name: "port-v6", in: "[2001:db8::7]:443", err: "address [2001:db8::7]:443: has a port; write 2001:db8::7"},
		{name: "brackets", in: "[2001:db8::7]", err: "address [2001:db8::7]: has brackets; write 2001:db8::7"},
		{name: "brackets-around-nothing", in: "[]", err: "address []: has brackets"},
		{name: "zero-same-in-octal", in: "192.0.02.7", err: "address 192.0.02.7: leading zero; write 192.0.2.7"},
		{name: "zero-not-octal", in: "192.0.09.7", err: "address 192.0.09.7: leading zero; write 192.0.9.7"},
		{name: "zero-ambiguous", in: "010.0.0.1", err: "address 010.0.0.1: a leading zero may mean 10.0.0.1 or, read as octal, 8.0.0.1"},
		{name: "zero-in-mapped", in: "::ffff:10.0.0.01", err: "address ::ffff:10.0.0.01: leading zero; write ::ffff:10.0.0.1"},
		{name: "control-bytes", in: "1.1.1.1\n2.2.2.2", err: `address "1.1.1.1\n2.2.2.2": not an IP address`},
		{
			name: "overlong", in: "x" + string(make([]byte, 200)),
			err: `address "x` + strings.Repeat(`\x00`, 79) + `...": not an IP address`,
		},

		{name: "bits-missing", in: "10.0.0.0/", err: "prefix 10.0.0.0/: no prefix length"},
		{name: "bits-zero-padded", in: "10.0.0.0/08", err: "prefix 10.0.0.0/08: leading zero in the prefix length; write 10.0.0.0/8"},
		{name: "bits-too-many-v4", in: "10.0.0.0/33", err: "prefix 10.0.0.0/33: prefix length 33 is more than 32"},
		{name: "bits-too-many-v6", in: "::/129", err: "prefix ::/129: prefix length 129 is more than 128"},
		{name: "bits-garbage", in: "10.0.0.0/x", err: "prefix 10.0.0.0/x: prefix length x is not a number"},
		{name: "bits-twice", in: "10.0.0.0/8/8", err: "prefix 10.0.0.0/8/8: prefix length 8/8 is not a number"},
		{name: "netmask", in: "10.0.0.0/255.255.0.0", err: "prefix 10.0.0.0/255.255.0.0: has a netmask; write 10.0.0.0/16"},
		{name: "netmask-with-holes", in: "10.0.0.0/255.0.255.0", err: "prefix 10.0.0.0/255.0.255.0: 255.0.255.0 is not a netmask"},
		{name: "prefix-zone", in: "fe80::1%eth0/64", err: "prefix fe80::1%eth0/64: has a zone, which no packet carries; write fe80::1/64"},
		{name: "prefix-leading-zero", in: "10.0.0.01/8", err: "prefix 10.0.0.01/8: leading zero; write 10.0.0.1/8"},
		{name: "prefix-address-missing", in: "/8", err: "prefix /8: empty"},

		{name: "range-reversed", in: "192.0.2.9-192.0.2.1", err: "range 192.0.2.9-192.0.2.1: ends before it starts"},
		{name: "range-mixed", in: "10.0.0.1-2001:db8::1", err: "range 10.0.0.1-2001:db8::1: begins with IPv4 and ends with IPv6"},
		{name: "range-mixed-mapped", in: "::ffff:10.0.0.1-10.0.0.9", err: "range ::ffff:10.0.0.1-10.0.0.9: begins with IPv6 and ends with IPv4"},
		{name: "range-short-end", in: "192.0.2.1-50", err: "range 192.0.2.1-50: the end is not a whole address; write 192.0.2.1-192.0.2.50"},
		{name: "range-short-end-reversed", in: "192.0.2.60-50", err: "range 192.0.2.60-50: the end is not a whole address"},
		{name: "range-open", in: "192.0.2.1-", err: `range 192.0.2.1-: "": empty`},
		{name: "range-of-prefixes", in: "10.0.0.0/24-10.0.1.0/24", err: "range 10.0.0.0/24-10.0.1.0/24: its end 10.0.0.0/24 is a prefix, not an address"},
		{name: "range-of-three", in: "10.0.0.1-10.0.0.2-10.0.0.3", err: "range 10.0.0.1-10.0.0.2-10.0.0.3: 10.0.0.2-10.0.0.3: not an IP address"},
		{name: "range-first-leading-zero", in: "10.0.0.01-10.0.0.9", err: "range 10.0.0.01-10.0.0.9: 10.0.0.01: leading zero; write 10.0.0.1-10.0.0.9"},
		{name: "range-last-leading-zero", in: "10.0.0.1-10.0.0.09", err: "range 10.0.0.1-10.0.0.09: 10.0.0.09: leading zero; write 10.0.0.1-10.0.0.9"},
		{name: "range-en-dash", in: "10.0.0.1–10.0.0.9", err: `address "10.0.0.1–10.0.0.9": its dash is not "-"; write 10.0.0.1-10.0.0.9`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.in)
			if msg := text(err); msg != tt.err {
				t.Fatalf("Parse(%q) error = %q, want %q", tt.in, msg, tt.err)
			}
			if err == nil && String(got) != tt.want {
				t.Errorf("Parse(%q) = %q, want %q", tt.in, String(got), tt.want)
			}
		})
	}
}

func TestParsePair(t *testing.T) {
	tests := []struct {
		name, start, end, want string
		err                    string
	}{
		{name: "both", start: "10.20.30.0", end: "10.20.30.10", want: "10.20.30.0-10.20.30.10"},
		{name: "start-alone", start: "10.20.30.2", want: "10.20.30.2"},
		{name: "same", start: "10.20.30.2", end: "10.20.30.2", want: "10.20.30.2"},
		{name: "v6", start: "2001:db8::", end: "2001:db8::ff", want: "2001:db8::/120"},
		{name: "end-alone", end: "10.20.30.2", err: `range -10.20.30.2: "": empty`},
		{name: "neither", err: `address "": empty`},
		{name: "prefix", start: "10.0.0.0/8", err: "address 10.0.0.0/8: not an IP address"},
		{name: "reversed", start: "10.0.0.2", end: "10.0.0.1", err: "range 10.0.0.2-10.0.0.1: ends before it starts"},
		{name: "mixed", start: "10.0.0.2", end: "::1", err: "range 10.0.0.2-::1: begins with IPv4 and ends with IPv6"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParsePair(tt.start, tt.end)
			if msg := text(err); msg != tt.err {
				t.Fatalf("ParsePair(%q, %q) error = %q, want %q", tt.start, tt.end, msg, tt.err)
			}
			if err == nil && String(got) != tt.want {
				t.Errorf("ParsePair(%q, %q) = %q, want %q", tt.start, tt.end, String(got), tt.want)
			}
		})
	}
}

// What Parse accepts, String writes in a form that Parse reads as the same
// range; what it refuses with a correction, it accepts corrected.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"192.0.2.7", "192.0.2.0/24", "1.1.1.0-1.1.2.250", "2001:db8::1-2001:db8::ff", "::ffff:1.2.3.4/120",
		"010.0.0.1", "10.0.0.0/08", "fe80::1%eth0", "[::1]:80", "10.0.0.0/255.0.0.0", "192.0.2.1-50", "10.0.0.1–10.0.0.9",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		r, err := Parse(in)
		if err != nil {
			e := err.(*Error)
			if fix, ok := strings.CutPrefix(e.Remedy, "write "); ok {
				if _, err := Parse(fix); err != nil {
					t.Errorf("Parse(%q) says %q, which is refused: %v", in, e.Remedy, err)
				}
			}
			return
		}
		if !r.IsValid() {
			t.Fatalf("Parse(%q) = %v: not valid", in, r)
		}
		again, err := Parse(String(r))
		if err != nil || again != r {
			t.Errorf("Parse(String(%v)) = %v, %v", r, again, err)
		}
		if u := Unmap(r); u != r && !u.From().Is4() {
			t.Errorf("Unmap(%v) = %v", r, u)
		}
	})
}
