package audit

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Open goes on with the journal in a directory, which it makes. Lines that were
// committed and did not reach the file are written now; where others are missing
// the journal goes on with a line that says so. What was found amiss is told
// beside, and does not keep the log from being used.
func Open(cfg Config) (*Log, policy.Problems, error) {
	cfg.FileSize = cmp.Or(cfg.FileSize, 64<<20)
	cfg.Keep = cmp.Or(cfg.Keep, 10)
	cfg.Refusals = cmp.Or(cfg.Refusals, 60)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	l := &Log{cfg: cfg, refusals: refusals{limit: cfg.Refusals}}
	problems, err := l.resume()
	if err != nil {
		if l.journal != nil {
			err = errors.Join(err, l.journal.close())
		}
		return nil, nil, fmt.Errorf("open the audit journal in %s: %w", cfg.Dir, err)
	}
	return l, problems, nil
}

func (l *Log) resume() (policy.Problems, error) {
	head, err := l.cfg.Store.Head()
	if err != nil {
		return nil, err
	}
	pending, err := l.cfg.Store.Pending()
	if err != nil {
		return nil, err
	}
	j, torn, err := openJournal(l.cfg.Dir, l.cfg.FileSize, l.cfg.Keep)
	if err != nil {
		return nil, err
	}
	l.journal = j
	var problems policy.Problems
	if torn > 0 {
		problems = append(problems, policy.Problem{
			Pos: policy.Pos{File: j.f.Name()}, Warning: true,
			What: fmt.Sprintf("its last line was cut short; the %d bytes of it are removed", torn),
		})
	}
	end, err := readEnd(l.cfg.Dir, head.Seq)
	if err != nil {
		return nil, err
	}
	l.resend(&end, head, pending)
	return append(problems, l.goOn(end, head)...), nil
}

// end is what the files end with.
type end struct {
	last Entry // the last line; its Seq is 0 where there is none
	note Note  // the same
	at   Note  // the line of the store's head's number, if it was found
	odd  bool  // a line beyond that is not of the chain
}

// readEnd reads backwards to the line of this number, or one before it.
func readEnd(dir string, number uint64) (end, error) {
	var e end
	var after link
	err := backwards(dir, cursor{}, func(line []byte, _ cursor) (bool, error) {
		is, err := unseal(line)
		if err != nil {
			e.odd = true
			return true, nil
		}
		if e.note.Seq == 0 {
			e.note = is.Note
			e.last, err = decode(line)
		} else if is.Seq+1 != after.Seq || is.Hash != after.previous {
			e.odd = true
		}
		if after = is; is.Seq == number {
			e.at = is.Note
		}
		return is.Seq > number && number > 0, err
	})
	return e, err
}

// resend writes the notes of the outbox that the files do not have.
func (l *Log) resend(e *end, head Note, pending []Note) {
	for _, n := range pending {
		l.outbox, l.bytes = l.outbox+1, l.bytes+len(n.Line)
		if n.Seq <= e.note.Seq {
			continue
		}
		l.waiting = append(l.waiting, n)
		e.odd = e.odd || e.note.Seq+1 != n.Seq
		if e.note = n; n.Seq == head.Seq {
			e.at = n
		}
		if l.cfg.Also != nil {
			l.cfg.Also(n.Line)
		}
	}
	l.note(l.drain())
}

// goOn takes up the chain where the files and the store agree that it ends, or
// else begins again at the store's head, which who edits files does not reach.
func (l *Log) goOn(e end, head Note) policy.Problems {
	l.latest, l.stored = e.last.Time, head.Seq
	l.head = Note{Seq: e.note.Seq, Hash: e.note.Hash}
	if !e.odd && (head.Seq == 0 || e.at.Hash == head.Hash) {
		return nil
	}
	what := gap(e, head)
	l.head = Note{Seq: max(e.note.Seq, head.Seq), Hash: head.Hash}
	problems := policy.Problems{{
		Pos: policy.Pos{File: l.cfg.Dir}, What: what, Remedy: "postern audit verify says where",
	}}
	if !l.append(Entry{Record: Record{Action: Gap, Type: Info, Error: what}, Outcome: Failure}) {
		problems = append(problems, policy.Problem{Pos: policy.Pos{File: l.cfg.Dir}, What: l.err.Error()})
	}
	return problems
}

func gap(e end, head Note) string {
	if e.note.Seq < head.Seq {
		return fmt.Sprintf("the journal ends with line %d; %s missing", e.note.Seq, span(e.note.Seq+1, head.Seq))
	}
	return fmt.Sprintf("before line %d there are lines missing, or not as they were written", e.note.Seq+1)
}
