package datapath

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// lock takes dir for this process, until it ends or closes the file.
func lock(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, cause(err))
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = errors.New(holder(f))
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

// holder says who has the lock on f. The kernel is asked: what a lock file says
// may be about a process that is long gone.
func holder(f *os.File) string {
	const unknown = "an agent in another PID namespace holds it"
	var stat unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &stat); err != nil {
		return unknown
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return unknown
	}
	// 1: FLOCK  ADVISORY  WRITE 4711 00:2d:1 0 EOF
	inode := fmt.Sprintf("%02x:%02x:%d", unix.Major(stat.Dev), unix.Minor(stat.Dev), stat.Ino)
	for line := range strings.Lines(string(locks)) {
		if field := strings.Fields(line); len(field) > 5 && field[1] == "FLOCK" && field[5] == inode {
			return "pid " + field[4] + " holds it"
		}
	}
	return unknown
}
