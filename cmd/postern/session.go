package main

import (
	"bytes"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
)

// session is the SSH connection that somebody types through.
type session struct {
	client netip.Addr
	port   uint16 // of this host
}

// sshSession finds the session that process pid was started in: in the
// environment of itself or of an ancestor, for sudo and su clean their own.
func sshSession(proc fs.FS, pid int) (session, bool) {
	for range 64 { // no one nests deeper, and a forged /proc must not hold us
		if pid <= 1 {
			break
		}
		env, _ := fs.ReadFile(proc, strconv.Itoa(pid)+"/environ")
		for _, v := range bytes.Split(env, []byte{0}) {
			if text, ok := bytes.CutPrefix(v, []byte("SSH_CONNECTION=")); ok {
				return parseSession(string(text))
			}
		}
		pid = parent(proc, pid)
	}
	return session{}, false
}

// parseSession reads "198.51.100.7 51234 203.0.113.1 22".
func parseSession(text string) (session, bool) {
	f := strings.Fields(text)
	if len(f) != 4 {
		return session{}, false
	}
	client, err := netip.ParseAddr(f[0])
	port, portErr := strconv.ParseUint(f[3], 10, 16)
	return session{client.Unmap().WithZone(""), uint16(port)}, err == nil && portErr == nil
}

// parent reads the fourth field of /proc/PID/stat; the second, the command's
// name, may hold anything, so what counts comes after its closing bracket.
func parent(proc fs.FS, pid int) int {
	stat, _ := fs.ReadFile(proc, strconv.Itoa(pid)+"/stat")
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(f) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(f[1])
	return ppid
}
