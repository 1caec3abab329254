package config

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// source is a list file as it was read.
type source struct {
	seen
	unread   bool // it could not be read at all, as problems say
	sum      [sha256.Size]byte
	says     listFile
	problems policy.Problems
}

// ifFaulty is s, or nil where nothing is wrong with it.
func (s *source) ifFaulty() *source {
	if s == nil || len(s.problems) == 0 {
		return nil
	}
	return s
}

// saysTheSame reports whether two readings of a file are of the same content.
func (s *source) saysTheSame(o *source) bool {
	return s != nil && o != nil && !s.unread && !o.unread && s.sum == o.sum
}

// seen is a file as it stood when it was read.
type seen struct {
	stamp   stamp
	settled bool // the stamp alone tells whether the file changed since
}

func seenAt(info os.FileInfo, now time.Time) seen {
	s := seen{stamp: stampOf(info)}
	s.settled = now.Sub(time.Unix(s.stamp.ctime.Unix())) > grain
	return s
}

// isCurrent reports whether the file at path need not be read again.
func (s seen) isCurrent(path string) bool {
	if !s.settled {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && stampOf(info) == s.stamp
}

// stamp changes when a file does, except within the clock's grain.
type stamp struct {
	dev, inode   uint64
	size         int64
	mtime, ctime syscall.Timespec
}

// grain is longer than any file system's clock stands still.
const grain = 2 * time.Second

// readSource reads path, or gives before back where the file is the same. It is
// nil where there is no file.
func readSource(path string, before *source, now time.Time) *source {
	if before != nil && before.isCurrent(path) {
		return before
	}
	data, info, err := readRegular(path)
	if err != nil {
		if _, gone := os.Lstat(path); errors.Is(gone, fs.ErrNotExist) {
			return nil
		}
		return &source{unread: true, problems: policy.Problems{unreadable(path, err)}}
	}
	s := &source{seen: seenAt(info, now), sum: sha256.Sum256(data)}
	if before.saysTheSame(s) {
		s.says, s.problems = before.says, before.problems
		return s
	}
	s.says, s.problems = readList(&reader{file: path}, data)
	return s
}

// readList is what the text of a list file says.
func readList(r *reader, data []byte) (listFile, policy.Problems) {
	if says, ok := r.plain(data); ok {
		return says, nil
	}
	var says listFile
	if root := r.parse(data); root != nil {
		says = r.listFile(root)
	}
	return says, r.sorted()
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
