package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// volume is one file of the journal, named by the first line it was made for, so
// that names in their order hold lines in theirs. The last volume is written to.
type volume struct {
	first uint64
	path  string
}

const (
	volumePrefix = "audit-"
	volumeSuffix = ".jsonl"
)

func volumeIn(dir string, first uint64) volume {
	return volume{first, filepath.Join(dir, fmt.Sprintf("%s%020d%s", volumePrefix, first, volumeSuffix))}
}

// volumes are those in dir, oldest first.
func volumes(dir string) ([]volume, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []volume
	for _, f := range files {
		number, ok := strings.CutPrefix(strings.TrimSuffix(f.Name(), volumeSuffix), volumePrefix)
		first, err := strconv.ParseUint(number, 10, 64)
		if v := volumeIn(dir, first); ok && err == nil && filepath.Base(v.path) == f.Name() {
			found = append(found, v)
		}
	}
	return found, nil
}

// wholeLines is how many bytes of f are lines that end.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	buf := make([]byte, firstBlock)
	for end := info.Size(); end > 0; {
		start := max(0, end-firstBlock)
		part := buf[:end-start]
		if _, err := f.ReadAt(part, start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// scan reads a volume's lines from the first to the last; whole is false for one
// that does not end.
func scan(v volume, each func(number int, line []byte, whole bool) error) error {
	f, err := os.Open(v.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the agent has removed it meanwhile, to keep the journal to its size
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, firstBlock), maxLine+2)
	lines.Split(withNewline)
	number := 0
	for lines.Scan() {
		number++
		line, whole := bytes.CutSuffix(lines.Bytes(), []byte("\n"))
		if err := each(number, line, whole); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", v.path, number+1, err)
	}
	return nil
}

func withNewline(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
