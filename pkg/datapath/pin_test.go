package datapath

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/postern-io/postern/pkg/testenv"
)

func TestOpenPinsRefuses(t *testing.T) {
	testenv.Root(t)
	plain := t.TempDir()
	tests := []struct{ name, dir, want string }{
		{"not-a-bpffs", plain, "not on a bpffs; choose a directory under /sys/fs/bpf"},
		{"not-a-bpffs-yet", filepath.Join(plain, "a", "b"), "not on a bpffs; choose a directory under /sys/fs/bpf"},
		{"prefix-is-no-parent", "/sys/fs/bpffs", "not on a bpffs; choose a directory under /sys/fs/bpf"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := openPins(tt.dir)
			if got, want := text(err), "pin to "+tt.dir+": "+tt.want; got != want {
				t.Errorf("error = %q, want %q", got, want)
			}
		})
	}
}

// A bpffs that only this process sees would end with it, and everything would
// pass.
func TestOpenPinsRefusesPrivateMount(t *testing.T) {
	testenv.Root(t)
	dir := t.TempDir()
	tests := []struct {
		name, dir string
		prepare   func() error
	}{
		{"mounted-by-others", dir, func() error { return unix.Mount("bpffs", dir, "bpf", 0, "") }},
		{"mounted-by-us", "/sys/fs/bpf/postern", func() error {
			for unix.Unmount("/sys/fs/bpf", unix.MNT_DETACH) == nil {
			}
			return nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			inPrivateMounts(t, func() error {
				if err := tt.prepare(); err != nil {
					return err
				}
				_, err := openPins(tt.dir)
				got = text(err)
				return nil
			})
			want := "pin to " + tt.dir + ": its bpffs is private to this mount namespace and would end with the agent; " +
				"give the agent the host's /sys/fs/bpf (container: -v /sys/fs/bpf:/sys/fs/bpf, systemd: PrivateMounts=no)"
			if got != want {
				t.Errorf("error = %q, want %q", got, want)
			}
		})
	}
}

// inPrivateMounts runs f in a mount namespace of its own, which ends with it.
func inPrivateMounts(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestLockNamesItsHolder(t *testing.T) {
	testenv.Root(t)
	dir := filepath.Join(testenv.BPFFS(t), "postern")
	first, err := openPins(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = openPins(dir)
	if got, want := text(err), fmt.Sprintf("lock %s: pid %d holds it", dir, os.Getpid()); got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := openPins(dir)
	if err != nil {
		t.Fatalf("after the holder has let go: %v", err)
	}
	again.Close()
}
