package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/postern-io/postern/pkg/api/v1"
)

// verdicts tells what becomes of the lines of an import, while it goes on.
type verdicts struct {
	*console
	file string
	form format

	lines, bad int
	shown      time.Time // when the progress last was
}

// read reads them up to the summary, which comes last.
func (v *verdicts) read(stream io.Reader) (*v1.ImportSummary, error) {
	lines, out := json.NewDecoder(stream), json.NewEncoder(v.out)
	defer v.clear()
	for {
		var line v1.ImportLine
		if err := lines.Decode(&line); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // the summary is missing
			}
			return nil, fmt.Errorf("read what came of the import: %w", err)
		}
		if v.form == jsonForm {
			if err := out.Encode(line); err != nil {
				return nil, err
			}
		}
		if line.Verdict == "" {
			return &line.Summary, nil
		}
		v.take(line)
	}
}

func (v *verdicts) take(line v1.ImportLine) {
	v.lines++
	if line.Verdict == v1.ImportLineVerdictBad {
		v.bad++
		if v.form == text {
			v.clear()
			fmt.Fprintf(v.err, "%s:%d: %s\n", v.file, line.Line, withRemedy(line.What, line.Remedy))
		}
	}
	if v.watched && time.Since(v.shown) > 200*time.Millisecond {
		v.shown = time.Now()
		fmt.Fprintf(v.err, "\r%d lines, %d of them bad", v.lines, v.bad)
	}
}

// clear takes the progress off the terminal.
func (v *verdicts) clear() {
	if !v.shown.IsZero() {
		fmt.Fprint(v.err, "\r\x1b[K")
		v.shown = time.Time{}
	}
}
