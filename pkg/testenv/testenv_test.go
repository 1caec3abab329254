//go:build linux

package testenv_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/testenv"
)

func pair(t *testing.T, left, right []string) (a, b *testenv.End) {
	testenv.Root(t)
	a = &testenv.End{NS: testenv.NewNetNS(t), Name: "left", Addrs: left}
	b = &testenv.End{NS: testenv.NewNetNS(t), Name: "right", Addrs: right}
	testenv.Veth(t, a, b)
	return a, b
}

func TestVethConnectsAtOnce(t *testing.T) {
	a, b := pair(t, []string{"192.0.2.1/24", "2001:db8::1/64"}, []string{"192.0.2.2/24", "2001:db8::2/64"})
	for _, address := range []string{"192.0.2.2:80", "[2001:db8::2]:80"} {
		l := b.NS.Listen(t, "tcp", address)
		conn, err := a.NS.Dial(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
}

func TestFramesArriveAsSent(t *testing.T) {
	a, b := pair(t, nil, nil) // with IPv6 an end tells of its groups, when it gets to it
	ethernet := func(rest ...byte) []byte {
		frame := append(bytes.Clone(b.MAC), a.MAC...)
		return append(append(frame, rest...), make([]byte, 60)...)
	}
	tests := []struct {
		name  string
		frame []byte
	}{
		{"plain", ethernet(0x88, 0xb5, 1)},
		{"tagged", ethernet(0x81, 0, 0, 7, 0x88, 0xb5, 2)},
		{"tagged-twice", ethernet(0x88, 0xa8, 0, 7, 0x81, 0, 0, 8, 0x88, 0xb5, 3)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, out := b.Socket(t), a.Socket(t)
			out.Send(t, tt.frame)
			if got := in.Recv(t, time.Second); !bytes.Equal(got, tt.frame) {
				t.Errorf("received % x\nwant     % x", got, tt.frame)
			}
			if !out.Arrives(t, in, tt.frame) {
				t.Error("a frame on an open wire does not arrive")
			}
			if got := out.Recv(t, 0); got != nil {
				t.Errorf("the sender heard itself: % x", got)
			}
		})
	}
}

// A quiet pair sends nothing by itself, so an exact count is a fair test.
func TestVethIsQuiet(t *testing.T) {
	_, b := pair(t, nil, []string{"192.0.2.2/24"})
	if got := b.Socket(t).Recv(t, 200*time.Millisecond); got != nil {
		t.Errorf("received % x, want silence", got)
	}
}

func TestNamespaceIsLeft(t *testing.T) {
	testenv.Root(t)
	where := func() string {
		link, err := os.Readlink("/proc/thread-self/ns/net")
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
	ns := testenv.NewNetNS(t)
	outside, inside := where(), ""
	ns.Do(func() { inside = where() })
	if inside == outside || where() != outside {
		t.Errorf("outside %s, inside %s, after %s", outside, inside, where())
	}
}

func TestProcessKeepsOurMounts(t *testing.T) {
	testenv.Root(t)
	dir, ns := testenv.BPFFS(t), testenv.NewNetNS(t)
	if got := strings.TrimSpace(ns.Run(t, "stat", "-f", "-c", "%T", dir)); got != "bpf_fs" {
		t.Errorf("%s is %s in the namespace, want bpf_fs", dir, got)
	}
}
