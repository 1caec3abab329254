package audit

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// cursor is a place between two lines: before the byte at, in the volume of this
// first line. The zero cursor is the end of the journal.
type cursor struct {
	first uint64
	at    int64
}

func (c cursor) String() string { return fmt.Sprintf("%d-%d", c.first, c.at) }

func parseCursor(text string) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	first, at, _ := strings.Cut(text, "-")
	c := cursor{}
	var err error
	if c.first, err = strconv.ParseUint(first, 10, 64); err != nil || c.first == 0 {
		return cursor{}, ErrCursor
	}
	if c.at, err = strconv.ParseInt(at, 10, 64); err != nil || c.at < 0 {
		return cursor{}, ErrCursor
	}
	return c, nil
}

// ErrCursor is told who pages with something that no page gave.
var ErrCursor = errors.New("cursor: not one of this journal's pages; begin without one")

func endsLine(f *os.File, at, size int64) error {
	if at > size {
		return ErrCursor
	}
	if at == 0 {
		return nil
	}
	var b [1]byte
	if _, err := f.ReadAt(b[:], at-1); err != nil {
		return err
	}
	if b[0] != '\n' {
		return ErrCursor
	}
	return nil
}
