package datapath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// sysBPF is where every Linux has its bpffs.
const sysBPF = "/sys/fs/bpf"

// openPins makes dir ready to hold what outlives the agent, and locks it. The
// lock is on the directory itself and not on a file under /run: whoever shares
// the pins shares the lock, also a container that has a /run of its own.
func openPins(dir string) (*os.File, error) {
	if err := ensureBPFFS(dir); err != nil {
		return nil, fmt.Errorf("pin to %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("pin to %s: %w", dir, cause(err))
	}
	if err := shared(dir); err != nil {
		return nil, fmt.Errorf("pin to %s: %w", dir, err)
	}
	return lock(dir)
}

// ensureBPFFS makes sure that dir lies, or will lie, on a bpffs.
func ensureBPFFS(dir string) error {
	on, err := isBPFFS(dir)
	if err != nil || on {
		return err
	}
	if dir != sysBPF && !strings.HasPrefix(dir, sysBPF+"/") {
		return errors.New("not on a bpffs; choose a directory under " + sysBPF)
	}
	if err := unix.Mount("bpffs", sysBPF, "bpf", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0700"); err != nil {
		return fmt.Errorf("no bpffs is mounted at %s, and mounting one: %w; run: mount -t bpf bpffs %[1]s", sysBPF, err)
	}
	return nil
}

// isBPFFS looks at dir, or at the nearest directory above that exists.
func isBPFFS(dir string) (bool, error) {
	var stat unix.Statfs_t
	for {
		err := unix.Statfs(dir, &stat)
		if err == nil {
			return stat.Type == unix.BPF_FS_MAGIC, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return false, err
		}
		dir = filepath.Dir(dir)
	}
}

// shared refuses a bpffs that the host does not have mounted: one in a private
// mount namespace ends with the processes in it, and lets every packet pass.
// PID 1's mounts are asked for, since its root cannot be looked into without
// more capabilities than the agent has.
func shared(dir string) error {
	var stat unix.Stat_t
	if err := unix.Stat(dir, &stat); err != nil {
		return err
	}
	mounts, err := os.ReadFile("/proc/1/mountinfo")
	if err != nil {
		return fmt.Errorf("see whether the host has it mounted: %w", err)
	}
	device := fmt.Sprintf("%d:%d", unix.Major(stat.Dev), unix.Minor(stat.Dev))
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[2] == device {
			return nil
		}
	}
	return errors.New("its bpffs is private to this mount namespace and would end with the agent; " +
		"give the agent the host's " + sysBPF + " (container: -v " + sysBPF + ":" + sysBPF + ", systemd: PrivateMounts=no)")
}

// pin is where the link of an interface of this namespace is pinned. Interface
// numbers mean nothing without their namespace.
func (l *links) pin(index int) (string, error) {
	ns, err := netnsInode()
	if err != nil {
		return "", err
	}
	return filepath.Join(l.dir, fmt.Sprintf("%d-%d", ns, index)), nil
}

func parsePin(path string) (ns uint64, index int, ok bool) {
	left, right, _ := strings.Cut(filepath.Base(path), "-")
	ns, err := strconv.ParseUint(left, 10, 64)
	index, err2 := strconv.Atoi(right)
	return ns, index, err == nil && err2 == nil
}

// netnsInode identifies the network namespace of this thread.
func netnsInode() (uint64, error) {
	var stat syscall.Stat_t
	if err := syscall.Stat("/proc/thread-self/ns/net", &stat); err != nil {
		return 0, fmt.Errorf("identify the network namespace: %w", err)
	}
	return stat.Ino, nil
}
