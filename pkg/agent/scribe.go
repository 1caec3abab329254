package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// scribe saves revisions beside the loop, which has more to do than to wait for a
// disk: the snapshot may lag behind what is in force, for the store has it. It
// rests after each, since who writes to the store waits for the same disk; of the
// revisions that come meanwhile only the last is saved.
type scribe struct {
	mu       sync.Mutex // held while the snapshot is written
	snapshot Snapshot   // nil: it could not be opened

	due    chan due
	result chan error // of what was written; holds one
}

type due struct {
	rev *policy.Revision
	now time.Time
}

func newScribe(s Snapshot) *scribe {
	return &scribe{snapshot: s, due: make(chan due, 1), result: make(chan error, 1)}
}

// rest is how long the scribe does nothing after a revision.
const rest = time.Second

// run writes until ctx ends.
func (s *scribe) run(ctx context.Context) {
	for {
		select {
		case d := <-s.due:
			s.tell(s.write(d))
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return
		}
	}
}

// tell puts err in the place of an older one that nobody took.
func (s *scribe) tell(err error) {
	select {
	case <-s.result:
	default:
	}
	s.result <- err
}

func (s *scribe) write(d due) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.snapshot == nil || s.snapshot.Revision() == d.rev {
		return nil
	}
	return s.snapshot.Save(d.rev, d.now)
}

// save has rev written, in the place of one that is not yet.
func (s *scribe) save(rev *policy.Revision, now time.Time) {
	select {
	case <-s.due:
	default:
	}
	s.due <- due{rev, now}
}

// record keeps the time, at once.
func (s *scribe) record(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.snapshot == nil {
		return nil
	}
	return s.snapshot.Record(now)
}

// close writes what is due. Nothing else uses the scribe by then.
func (s *scribe) close() error {
	if s.snapshot == nil {
		return nil
	}
	var err error
	select {
	case d := <-s.due:
		err = s.write(d)
	default:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.snapshot.Close())
}
