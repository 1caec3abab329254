package agent

import (
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestServiceManagerIsTold listens where systemd would.
func TestServiceManagerIsTold(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	h := newHost(t)
	h.start()
	h.end()
	var told []string
	buf := make([]byte, 4096)
	for !slices.Contains(told, "STOPPING=1") {
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("told %q, and then: %v", told, err)
		}
		told = append(told, string(buf[:n]))
	}
	want := []string{
		"STATUS=starting",
		"STATUS=revision 1 in force: 4 lists of 1 tenants",
		"READY=1",
		"STOPPING=1",
	}
	if !slices.Equal(slices.Compact(told), want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
