package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// journal appends to the volumes of a directory.
type journal struct {
	dir  string
	size int64 // at which a volume is full
	keep int   // as much as so many full volumes hold
	f    *os.File
	at   int64 // where the next line goes
	// loose is that lines stand in f which a power cut could take.
	loose bool
}

// openJournal goes on in the last volume of dir, and returns how many bytes of a
// line that does not end it cut off there.
func openJournal(dir string, size int64, keep int) (*journal, int64, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, 0, err
	}
	j := &journal{dir: dir, size: size, keep: keep}
	found, err := volumes(dir)
	if err != nil || len(found) == 0 {
		return j, 0, err
	}
	torn, err := j.reopen(found[len(found)-1])
	return j, torn, err
}

func (j *journal) reopen(v volume) (torn int64, err error) {
	f, err := os.OpenFile(v.path, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err == nil {
		j.at, err = wholeLines(f)
	}
	if err == nil {
		err = f.Truncate(j.at)
	}
	if err != nil {
		return 0, errors.Join(err, f.Close())
	}
	// What a killed agent wrote last may not have reached the disk.
	j.f, j.loose = f, true
	return info.Size() - j.at, nil
}

// append writes a line, whole or not at all: a part of one is written over by
// whatever comes next, and cut off by the next start.
func (j *journal) append(n Note) error {
	if j.f == nil || j.at > 0 && j.at+int64(len(n.Line)) >= j.size {
		if err := j.turn(n.Seq); err != nil {
			return err
		}
	}
	if _, err := j.f.WriteAt(slices.Concat(n.Line, []byte("\n")), j.at); err != nil {
		return errors.Join(err, j.f.Truncate(j.at))
	}
	j.at += int64(len(n.Line)) + 1
	j.loose = true
	return nil
}

// turn begins the volume whose first line is this one.
func (j *journal) turn(first uint64) error {
	if err := j.close(); err != nil {
		return err
	}
	f, err := os.OpenFile(volumeIn(j.dir, first).path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	j.f, j.at = f, 0
	return errors.Join(syncDir(j.dir), j.prune())
}

// prune removes the oldest volumes beyond those to keep, the oldest of them first:
// a crash in between leaves no gap.
func (j *journal) prune() error {
	found, err := volumes(j.dir)
	if err != nil {
		return err
	}
	beyond, err := j.beyond(found[:max(0, len(found)-1)])
	if err != nil {
		return err
	}
	for _, v := range beyond {
		if err := os.Remove(v.path); err != nil {
			return err
		}
	}
	return nil
}

// beyond are the volumes behind which there are as many as to keep. They are
// weighed, not counted: one that was not filled pushes out no full one.
func (j *journal) beyond(ended []volume) ([]volume, error) {
	var bytes int64
	for i, v := range slices.Backward(ended) {
		if (bytes+j.size/2)/j.size >= int64(j.keep) {
			return ended[:i+1], nil
		}
		info, err := os.Stat(v.path)
		if err != nil {
			return nil, err
		}
		bytes += min(info.Size(), j.size)
	}
	return nil, nil
}

// sync makes the lines written so far outlast a power cut.
func (j *journal) sync() error {
	if !j.loose {
		return nil
	}
	if err := j.f.Sync(); err != nil {
		return err
	}
	j.loose = false
	return nil
}

func (j *journal) close() error {
	if j.f == nil {
		return nil
	}
	if err := j.sync(); err != nil {
		return err
	}
	f := j.f
	j.f = nil
	return f.Close()
}

func syncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", dir, errors.Join(err, d.Close()))
	}
	return d.Close()
}
