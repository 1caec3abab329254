package audit

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Store remembers of the journal what its files cannot show themselves. It is
// called one at a time.
type Store interface {
	// Head is the last note that was put or committed, without its line.
	Head() (Note, error)
	// Pending are the committed notes that have not been trimmed, in order.
	Pending() ([]Note, error)
	// PutHead makes this the head.
	PutHead(Note) error
	// Trim forgets the pending notes up to this one.
	Trim(through uint64) error
}

// Config is how a Log is kept.
type Config struct {
	Dir      string
	Store    Store
	FileSize int64 // at which a file is full; default 64 MiB
	Keep     int   // as much as this many full files hold, beside the one written to; default 10
	Refusals int   // refused attempts a minute with a line each; default 60
	// Now is the time; default time.Now. Lines never go back in time, even if it
	// does; the minutes of refused attempts go by its monotonic reading.
	Now func() time.Time
	// Also is given each line once it counts, in order, and must not wait. A line
	// that an agent which was killed had not written may come a second time.
	Also func(line []byte)
}

// Log writes the journal. It is safe for concurrent use.
type Log struct {
	cfg Config

	mu       sync.Mutex
	head     Note      // the last line, without it
	latest   time.Time // of a line
	stored   uint64    // the head that the store has
	outbox   int       // notes the store has to trim
	bytes    int       // of the outbox
	bare     bool      // the file has lines that neither the outbox nor the disk has
	waiting  []Note    // the end of the outbox: what the file does not have yet
	refusals refusals
	journal  *journal
	closed   bool
	err      error // of the file or the store, since it last went well
}

// errClosed is what becomes of a change that comes after the end.
var errClosed = errors.New("the journal is closed")

// What the outbox may hold while the file cannot be written. Beyond it, changes
// are refused: one that leaves no trace is worse than none.
const (
	maxOutbox      = 10_000
	maxOutboxBytes = 64 << 20
)

// Change writes the line of a change. The note is given to commit, which is to
// store it with the change and as the head, in one transaction, and must not call
// l. If that fails there was no change and no line. If it succeeds the line will
// come, though the file cannot be written now.
func (l *Log) Change(rec Record, commit func(Note) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errClosed
	}
	if l.outbox >= maxOutbox || l.bytes >= maxOutboxBytes {
		if err := l.flush(); err != nil {
			return fmt.Errorf("%d changes are not in the journal yet, and no more are made until they are: %w", l.outbox, err)
		}
	}
	l.reportRefusals(l.cfg.Now())
	// The line before must not be lost once the store has one that names it.
	if l.bare {
		l.note(l.sync())
	}
	e := Entry{Record: rec, Time: l.now(), Outcome: Success}
	n, err := seal(l.head, e)
	if err != nil {
		return err
	}
	if err := commit(n); err != nil {
		return err
	}
	l.take(n, e.Time)
	l.stored, l.outbox, l.bytes = n.Seq, l.outbox+1, l.bytes+len(n.Line)
	l.waiting = append(l.waiting, n)
	l.note(l.drain())
	return nil
}

// Refused writes the line of an attempt that was refused, or counts it, where
// there were too many this minute or the file cannot be written. One that comes
// after the end is not told: no file is open for it, and one begun for it alone
// would push out the oldest.
func (l *Log) Refused(rec Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	now := l.cfg.Now()
	l.reportRefusals(now)
	l.refusals.turn(now)
	if l.refusals.told >= l.refusals.limit || !l.append(Entry{Record: rec, Outcome: Failure}) {
		l.refusals.count(rec)
		return
	}
	l.refusals.told++
}

// reportRefusals writes the counts of a minute that is over.
func (l *Log) reportRefusals(now time.Time) {
	if l.refusals.total > 0 && l.refusals.over(now) {
		l.writeRefusals()
	}
}

func (l *Log) writeRefusals() {
	rec := Record{Action: Refusals}
	if l.append(Entry{Record: rec, Outcome: Failure, Refused: l.refusals.report()}) {
		l.refusals.reported()
	}
}

// append writes a line that no change depends on, if it can be written now.
func (l *Log) append(e Entry) bool {
	if l.note(l.drain()); len(l.waiting) > 0 {
		return false
	}
	e.Time = l.now()
	n, err := seal(l.head, e)
	if err == nil {
		err = l.journal.append(n)
	}
	if err != nil {
		l.note(err)
		return false
	}
	l.bare = true
	l.take(n, e.Time)
	return true
}

// take makes n the end of the chain.
func (l *Log) take(n Note, now time.Time) {
	l.head, l.latest = Note{Seq: n.Seq, Hash: n.Hash}, now
	if l.cfg.Also != nil {
		l.cfg.Also(n.Line)
	}
}

// drain writes what waits, as far as it can be written.
func (l *Log) drain() error {
	for len(l.waiting) > 0 {
		if err := l.journal.append(l.waiting[0]); err != nil {
			return err
		}
		l.waiting = l.waiting[1:]
	}
	return nil
}

// Flush writes what waits, makes the file durable and tells the store. Its owner
// calls it every second; where nothing happened it does nothing.
func (l *Log) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.reportRefusals(l.cfg.Now())
	return l.flush()
}

func (l *Log) flush() error {
	err := l.drain()
	if err == nil {
		err = l.settle()
	}
	l.err = err
	if err != nil {
		return fmt.Errorf("audit %s: %w", l.cfg.Dir, err)
	}
	return nil
}

// settle tells the store what it need no longer keep. The file comes first: what
// the store forgets, or holds for the head, must be in it for good.
func (l *Log) settle() error {
	if err := l.sync(); err != nil {
		return err
	}
	if l.stored != l.head.Seq {
		if err := l.cfg.Store.PutHead(l.head); err != nil {
			return err
		}
		l.stored = l.head.Seq
	}
	if l.outbox > 0 {
		if err := l.cfg.Store.Trim(l.head.Seq); err != nil {
			return err
		}
		l.outbox, l.bytes = 0, 0
	}
	return nil
}

func (l *Log) sync() error {
	if err := l.journal.sync(); err != nil {
		return err
	}
	l.bare = false
	return nil
}

// Close reports the refused attempts that are still only counted, flushes, and
// closes the file. Nothing is written after it.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if l.refusals.total > 0 {
		l.writeRefusals()
	}
	return errors.Join(l.flush(), l.journal.close())
}

// now is the time of the next line. UTC leaves out the monotonic reading, by which
// an hour that the clock was set back would seem to have passed.
func (l *Log) now() time.Time {
	if now := l.cfg.Now().UTC(); now.After(l.latest) {
		return now
	}
	return l.latest
}
