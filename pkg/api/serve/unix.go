package serve

import (
	"errors"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// listenUnix opens a socket that root, the agent's own user and group may open.
//
// The socket is made aside, given its mode and owner and then renamed into
// place: it is never there with the wrong ones, and what a killed agent left
// behind is replaced. A living agent could lose its socket so; the lock on the
// pins, taken before, keeps a second agent away.
func listenUnix(path, group string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	aside := path + ".new"
	if err := os.Remove(aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: aside, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err := place(aside, path, group); err != nil {
		l.Close()
		os.Remove(aside)
		return nil, err
	}
	return &socket{l, path}, nil
}

func place(aside, path, group string) error {
	if err := os.Chmod(aside, 0o660); err != nil {
		return err
	}
	if group != "" {
		gid, err := groupID(group)
		if err != nil {
			return err
		}
		if err := os.Chown(aside, -1, gid); err != nil {
			return err
		}
	}
	return os.Rename(aside, path)
}

func groupID(group string) (int, error) {
	if gid, err := strconv.Atoi(group); err == nil {
		return gid, nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}

// socket removes its path when it is closed.
type socket struct {
	*net.UnixListener
	path string
}

func (s *socket) Close() error {
	return errors.Join(s.UnixListener.Close(), os.Remove(s.path))
}
