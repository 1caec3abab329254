package config

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// source is a list file as it was read.
type source struct {
	stamp    stamp
	settled  bool // the stamp alone tells whether the file changed since
	sum      [sha256.Size]byte
	says     listFile
	problems policy.Problems
}

// stamp changes when a file does, except within the clock's grain.
type stamp struct {
	dev, inode   uint64
	size         int64
	mtime, ctime syscall.Timespec
}

// grain is longer than any file system's clock stands still.
const grain = 2 * time.Second

// readSource reads path, or gives before back where the file is the same.
func readSource(path string, before *source, now time.Time) (*source, error) {
	if before != nil && before.settled {
		if info, err := os.Stat(path); err == nil && stampOf(info) == before.stamp {
			return before, nil
		}
	}
	data, info, err := readRegular(path)
	if err != nil {
		return nil, err
	}
	s := &source{stamp: stampOf(info), sum: sha256.Sum256(data)}
	s.settled = now.Sub(time.Unix(s.stamp.ctime.Unix())) > grain
	if before != nil && s.sum == before.sum {
		s.says, s.problems = before.says, before.problems
		return s, nil
	}
	r := &reader{file: path}
	if root := r.parse(data); root != nil {
		s.says = r.listFile(root)
	}
	s.problems = r.sorted()
	return s, nil
}

// readRegular does not wait for a writer to open a pipe.
func readRegular(path string) ([]byte, os.FileInfo, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, errors.New("not a regular file")
	}
	data, err := io.ReadAll(file)
	return data, info, err
}

func stampOf(info os.FileInfo) stamp {
	st := info.Sys().(*syscall.Stat_t)
	return stamp{dev: st.Dev, inode: st.Ino, size: st.Size, mtime: st.Mtim, ctime: st.Ctim}
}
