package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// backwards reads lines from the last before a cursor to the first, for as long
// as each wants more. It gives each the cursor before the line.
func backwards(dir string, from cursor, each func([]byte, cursor) (bool, error)) error {
	found, err := volumes(dir)
	if err != nil {
		return err
	}
	for _, v := range slices.Backward(found) {
		before := int64(-1)
		if from.first != 0 {
			if v.first > from.first {
				continue
			}
			if v.first == from.first {
				before = from.at
			}
		}
		more, err := backwardsIn(v, before, each)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func backwardsIn(v volume, before int64, each func([]byte, cursor) (bool, error)) (bool, error) {
	e, err := openEnding(v, before)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // removed meanwhile, to keep the journal to its size
	}
	if err != nil {
		return false, err
	}
	defer e.f.Close()
	for {
		line, err := e.last()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if more, err := each(line, cursor{v.first, e.at}); err != nil || !more {
			return false, err
		}
	}
}

// ending reads a file's lines from the last to the first.
type ending struct {
	f    *os.File
	at   int64  // where the lines not yet read end
	read []byte // what stands before at, as far as it is read
}

const firstBlock = 64 << 10

// last is the line before those read so far, without its newline. At the file's
// beginning it is io.EOF.
func (e *ending) last() ([]byte, error) {
	for e.at > 0 {
		i := bytes.LastIndexByte(e.read[:max(0, len(e.read)-1)], '\n')
		if i < 0 && int64(len(e.read)) < e.at {
			if err := e.more(); err != nil {
				return nil, err
			}
			continue
		}
		line := e.read[i+1:]
		e.read, e.at = e.read[:i+1], e.at-int64(len(line))
		return bytes.TrimSuffix(line, []byte("\n")), nil
	}
	return nil, io.EOF
}

// more reads further towards the beginning, each time twice as far where one line
// fills it all.
func (e *ending) more() error {
	if len(e.read) > maxLine {
		return fmt.Errorf("read %s: a line before byte %d is longer than %d bytes", e.f.Name(), e.at, maxLine)
	}
	start := max(0, e.at-int64(max(firstBlock, 2*len(e.read))))
	wider := make([]byte, e.at-start)
	if _, err := e.f.ReadAt(wider[:len(wider)-len(e.read)], start); err != nil {
		return err
	}
	copy(wider[len(wider)-len(e.read):], e.read)
	e.read = wider
	return nil
}

// openEnding reads v from its last whole line on, or, where before is not
// negative, from the line that ends at that byte.
func openEnding(v volume, before int64) (*ending, error) {
	f, err := os.Open(v.path)
	if err != nil {
		return nil, err
	}
	size, err := wholeLines(f)
	if err == nil && before >= 0 {
		size, err = before, endsLine(f, before, size)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &ending{f: f, at: size}, nil
}
