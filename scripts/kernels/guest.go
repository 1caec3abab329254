package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"syscall"
	"time"
)

// repository is where the sources and the test binaries are in the guest's root.
const repository = "repository"

// port is what the tests speak on. The kernel has the first one for itself.
const port = "/dev/ttyS1"

// readying is what a host has done before anybody logs in. Modules come when they
// are asked for, but for two kinds: tun's device is there only when the module is,
// and nft makes a rule anew, under another number, when it had to load one.
var readying = [][]string{
	{"modprobe", "-a", "tun", "nft_chain_nat", "nft_nat", "nft_redir"},
	{"ip", "link", "set", "lo", "up"},
}

// guest is process 1: it makes of a bare kernel what tests expect of a host, runs
// the suites and powers off. It never returns, or the kernel would panic; what
// goes wrong before there is a port, the kernel's console shows.
func guest(only string) {
	if err := runSuites(only); err != nil {
		fmt.Println("kernels:", err)
	}
	err := syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
	panic(fmt.Sprint("power off: ", err))
}

func runSuites(only string) error {
	if err := mountAll(); err != nil {
		return err
	}
	out, err := os.OpenFile(port, os.O_WRONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer out.Close() // waits until all is sent
	for name, value := range map[string]string{"PATH": "/sbin", "HOME": "/tmp", "POSTERN_TEST_ROOT": "1"} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	for _, command := range readying {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%q: %w\n%s", command, err, out)
		}
	}
	for _, s := range suites {
		s.run(out, only)
	}
	return nil
}

func mountAll() error {
	for _, m := range []struct{ kind, at string }{
		{"devtmpfs", "/dev"},
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"bpf", "/sys/fs/bpf"},
		{"cgroup2", "/sys/fs/cgroup"},
		{"tmpfs", "/run"},
		{"tmpfs", "/tmp"},
	} {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	return nil
}

// run runs the suite between two lines that outcome.go looks for. The tests write
// to a pipe and not to the port: one that leaves a process behind would keep it
// open.
func (s suite) run(out io.Writer, only string) {
	binary := path.Join("/", repository, s.binary())
	cmd := exec.Command(binary, "-test.v", "-test.timeout=25m", "-test.run="+only, "-test.skip="+s.skip())
	cmd.Dir = path.Dir(binary)
	pipe := struct{ io.Writer }{out}
	cmd.Stdout, cmd.Stderr = pipe, pipe
	cmd.WaitDelay = 10 * time.Second
	fmt.Fprintf(out, "\nBEGIN %s\n", s.dir)
	start := time.Now()
	err := cmd.Run()
	fmt.Fprintf(out, "\nEXIT %s %.0f %v\n", s.dir, time.Since(start).Seconds(), ended(err))
}

func ended(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}
