package serve

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestListenUnix(t *testing.T) {
	// A socket's path is short: it must fit into 108 bytes.
	dir, err := os.MkdirTemp("", "serve")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	address := "unix://" + path
	// What a killed agent left behind is no obstacle.
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	l, err := Listen(address, Config{})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("the socket's mode is %v", info.Mode())
	}
	if _, err := Listen(address, Config{Group: "no-such-group"}); message(err) != "listen on "+address+": group: unknown group no-such-group" {
		t.Errorf("error = %q", message(err))
	}
	if _, err := os.Lstat(path + ".new"); !os.IsNotExist(err) {
		t.Errorf("a socket that could not be placed is left behind: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("a closed socket is left behind: %v", err)
	}
}

func TestListenRefuses(t *testing.T) {
	taken, err := Listen("http://127.0.0.1:0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := "http://" + taken.Addr().String()
	tests := []struct{ name, address, err string }{
		{"in-the-clear", "http://0.0.0.0:0", "listener http://0.0.0.0:0: not a loopback address, and keys would go over the wire in the clear; write https://0.0.0.0:0, with tls"},
		{"no-certificate", "https://127.0.0.1:0", "listen on https://127.0.0.1:0: there is no certificate for it; name one under api.tls"},
		{"taken", address, "listen on " + address + ": listen tcp " + taken.Addr().String() + ": bind: address already in use"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Listen(tt.address, Config{})
			if msg := message(err); msg != tt.err {
				t.Errorf("error = %q, want %q", msg, tt.err)
			}
		})
	}
}

func TestLimit(t *testing.T) {
	l, err := Listen("http://127.0.0.1:0", Config{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	dial()
	first := <-accepted
	dial()
	<-accepted
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("the third was let in")
	}
	first.Close()
	first.Close() // makes room once
	fourth := dial()
	c := <-accepted
	if _, err := io.WriteString(c, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := fourth.Read(make([]byte, 1)); err != nil {
		t.Errorf("the fourth was not let in: %v", err)
	}
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("the fifth was let in")
	}
}
