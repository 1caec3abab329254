package main

import (
	"net/netip"
	"testing"
	"testing/fstest"
)

const zeros = "00000000000000000000000000000000"

func TestDefaultInterface(t *testing.T) {
	tests := []struct {
		name, route4, route6, want, err string
	}{
		{
			name: "least-metric",
			route4: "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" +
				"wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n" +
				"eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n" +
				"eth1\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
			want: "eth0",
		},
		{
			name:   "half-of-the-world-is-no-default",
			route4: "tun0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n",
			err:    "find the default route's interface: there is no default route; name one with --interface",
		},
		{
			name: "ipv6-only",
			route6: zeros + " 00 " + zeros + " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 ens3\n" +
				zeros + " 00 " + zeros + " 00 " + zeros + " ffffffff 00000001 00000000 00200200 lo\n",
			want: "ens3",
		},
		{
			name: "nothing-is-up",
			route6: zeros + " 00 " + zeros + " 00 " + zeros +
				" ffffffff 00000001 00000000 00200200 lo\n",
			err: "find the default route's interface: there is no default route; name one with --interface",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := defaultInterface(fstest.MapFS{
				"net/route":      {Data: []byte(tt.route4)},
				"net/ipv6_route": {Data: []byte(tt.route6)},
			})
			if msg := errText(err); msg != tt.err {
				t.Fatalf("error = %q, want %q", msg, tt.err)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestSSHSession(t *testing.T) {
	at := func(addr string, port uint16) session { return session{netip.MustParseAddr(addr), port} }
	tests := []struct {
		name string
		proc fstest.MapFS
		want session
		ok   bool
	}{
		{
			name: "own-environment",
			proc: fstest.MapFS{"9/environ": {Data: []byte("A=1\x00SSH_CONNECTION=198.51.100.7 51234 203.0.113.1 22\x00")}},
			want: at("198.51.100.7", 22), ok: true,
		},
		{
			name: "behind-sudo",
			proc: fstest.MapFS{
				"9/environ": {Data: []byte("SUDO_USER=ops\x00")},
				"9/stat":    {Data: []byte("9 (sudo) S 8 9 9 0")},
				"8/environ": {Data: []byte("HOME=/\x00")},
				"8/stat":    {Data: []byte("8 (a) b) 1 (x) S 7 8 8 0")},
				"7/environ": {Data: []byte("SSH_CONNECTION=2001:db8::7 51234 2001:db8::1 2222\x00")},
			},
			want: at("2001:db8::7", 2222), ok: true,
		},
		{
			name: "mapped-address",
			proc: fstest.MapFS{"9/environ": {Data: []byte("SSH_CONNECTION=::ffff:198.51.100.7 1 ::ffff:203.0.113.1 22\x00")}},
			want: at("198.51.100.7", 22), ok: true,
		},
		{
			name: "console",
			proc: fstest.MapFS{"9/stat": {Data: []byte("9 (login) S 1 9 9 0")}},
		},
		{
			name: "a-loop-of-parents",
			proc: fstest.MapFS{"9/stat": {Data: []byte("9 (x) S 9 9 9 0")}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := sshSession(tt.proc, 9)
			if ok != tt.ok || ok && got != tt.want {
				t.Errorf("got %v, %v; want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}
