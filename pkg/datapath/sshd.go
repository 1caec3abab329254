package datapath

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// SSH knows which ports sshd listens on. The zero SSH is ready. It is not for use
// by two goroutines.
type SSH struct {
	listening []socket
	ports     []uint16
}

// Ports are the ports that a process called sshd listens on, in order. Where none
// is found it is 22: the process may be out of sight, or systemd listens in its
// stead. Processes are looked at only when other sockets listen than before.
func (s *SSH) Ports() ([]uint16, error) {
	listening, err := sockets(inetDiag{protocol: unix.IPPROTO_TCP, states: tcpListen})
	if err != nil {
		return nil, fmt.Errorf("read listening sockets: %w", err)
	}
	if s.ports == nil || !slices.Equal(listening, s.listening) {
		s.listening, s.ports = listening, portsOf(listening, heldBy("sshd"))
	}
	return s.ports, nil
}

func portsOf(listening []socket, held map[uint32]bool) []uint16 {
	var ports []uint16
	for _, s := range listening {
		if held[s.inode] {
			ports = append(ports, s.local.Port())
		}
	}
	if len(ports) == 0 {
		return []uint16{22}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// heldBy are the inodes of the sockets that processes of a name have open, as far
// as /proc shows them: a process may end while it is looked at, and another
// user's shows them only to CAP_SYS_PTRACE.
func heldBy(name string) map[uint32]bool {
	held := map[uint32]bool{}
	processes, _ := os.ReadDir("/proc")
	for _, p := range processes {
		dir := filepath.Join("/proc", p.Name())
		comm, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err == nil && string(bytes.TrimSpace(comm)) == name {
			addSockets(held, filepath.Join(dir, "fd"))
		}
	}
	return held
}

func addSockets(held map[uint32]bool, fds string) {
	entries, _ := os.ReadDir(fds)
	for _, e := range entries {
		target, _ := os.Readlink(filepath.Join(fds, e.Name()))
		digits, isSocket := strings.CutPrefix(target, "socket:[")
		inode, err := strconv.ParseUint(strings.TrimSuffix(digits, "]"), 10, 32)
		if isSocket && err == nil {
			held[uint32(inode)] = true
		}
	}
}
