//go:build linux

package testenv

import "golang.org/x/sys/unix"

// BPFFS mounts a bpffs of the test's own and returns where. What is pinned there
// goes with it.
func BPFFS(t TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("bpffs", dir, "bpf", 0, "mode=0700"); err != nil {
		t.Fatalf("mount a bpffs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Fatalf("unmount %s: %v", dir, err)
		}
	})
	return dir
}
