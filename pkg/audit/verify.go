package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// Report is what Verify found.
type Report struct {
	Lines    int
	From, To uint64 // the first and the last line's number; older ones were rotated away
	Problems policy.Problems
}

// Verify reads a whole journal and tells each place where a line was changed,
// removed, moved, doubled or put in. Whether the end was cut off only a store's
// head can show; pending is its outbox, whose lines may still be on their way.
// Without a store both are zero.
func Verify(ctx context.Context, dir string, head Note, pending []Note) (Report, error) {
	v := verifier{head: head}
	v.begin(1)
	found, err := volumes(dir)
	if err != nil {
		return Report{}, fmt.Errorf("verify the audit journal: %w", err)
	}
	for _, vol := range found {
		err := scan(vol, func(number int, line []byte, whole bool) error {
			if v.Lines == 0 {
				v.begin(vol.first)
			}
			v.line(policy.Pos{File: vol.path, Line: number}, line, whole)
			return ctx.Err()
		})
		if err != nil {
			return Report{}, fmt.Errorf("verify the audit journal: %w", err)
		}
	}
	for _, n := range pending {
		if n.Seq > v.To {
			v.line(policy.Pos{File: "the store's outbox"}, n.Line, true)
		}
	}
	v.end(policy.Pos{File: dir})
	return v.Report, nil
}

// Verify is the same for the journal that is being written.
func (l *Log) Verify(ctx context.Context) (Report, error) {
	l.mu.Lock()
	head, waiting := l.head, slices.Clone(l.waiting)
	l.mu.Unlock()
	return Verify(ctx, l.cfg.Dir, head, waiting)
}

// verifier reads a chain line by line. After a line that is wrong it goes on
// from what the line says of itself, so that a wrong is told where it is and not
// again with each line behind it.
type verifier struct {
	Report
	head Note
	last Note
	// blind is that the hash of the last line is not known: that line was
	// changed, or rotated away.
	blind bool
}

// begin tells the number that the first volume is to begin with.
func (v *verifier) begin(first uint64) {
	v.From, v.last.Seq, v.blind = first, first-1, first > 1
}

func (v *verifier) line(at policy.Pos, line []byte, whole bool) {
	v.Lines++
	if !whole {
		v.wrong(at, "the line is cut short")
		return
	}
	is, err := unseal(line)
	switch {
	case is.Seq == 0:
		v.wrong(at, err.Error())
	case err != nil:
		v.wrong(at, fmt.Sprintf("line %d %v", is.Seq, err))
		// Its number may be what was changed.
		if is.Seq == v.last.Seq+1 {
			v.goOn(is.Note, true)
		}
	default:
		v.order(at, is)
		if is.Seq == v.head.Seq && is.Hash != v.head.Hash {
			v.wrong(at, fmt.Sprintf("line %d is not the one that the store remembers", is.Seq))
		}
		v.goOn(is.Note, false)
	}
}

// order tells what is wrong with is following the last line.
func (v *verifier) order(at policy.Pos, is link) {
	switch next := v.last.Seq + 1; {
	case is.Seq > next:
		v.wrong(at, fmt.Sprintf("%s missing before line %d", span(next, is.Seq-1), is.Seq))
	case is.Seq == next && !v.blind && is.previous != v.last.Hash:
		v.wrong(at, fmt.Sprintf("line %d was not written after the line %d before it", is.Seq, v.last.Seq))
	case is.Seq == v.last.Seq:
		v.wrong(at, fmt.Sprintf("line %d stands here again", is.Seq))
	case is.Seq < next:
		v.wrong(at, fmt.Sprintf("line %d stands after line %d", is.Seq, v.last.Seq))
	}
}

func (v *verifier) goOn(n Note, blind bool) {
	v.last, v.blind, v.To = Note{Seq: n.Seq, Hash: n.Hash}, blind, max(v.To, n.Seq)
}

func (v *verifier) end(at policy.Pos) {
	if v.To < v.head.Seq {
		v.wrong(at, fmt.Sprintf("%s missing at the end", span(v.To+1, v.head.Seq)))
	}
}

func (v *verifier) wrong(at policy.Pos, what string) {
	v.Problems = append(v.Problems, policy.Problem{Pos: at, What: what})
}

func span(first, last uint64) string {
	if first == last {
		return fmt.Sprintf("line %d is", first)
	}
	return fmt.Sprintf("lines %d to %d are", first, last)
}
