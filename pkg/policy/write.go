package policy

import (
	"errors"
	"fmt"
	"time"
)

// Write is one change asked of whoever keeps the State.
type Write struct {
	Author Author
	Origin string
	Reason string
	Told   *Told // nil: the journal finds words of its own
	// Edit makes the change. It may be called more than once, and is where what
	// the change was made against is compared with what there is.
	Edit func(*Draft) error
	// Check is asked about the change when it is compiled and nothing of it is in
	// force; its error refuses it. Nil: all is well.
	Check func(Transition) error
	// Force lets established connections be cut.
	Force bool
	// Confirm is how soon the change must be confirmed, or it is taken back.
	// Zero: it need not.
	Confirm time.Duration
	// DryRun ends it there.
	DryRun bool
}

// Transition is a write compiled: what is in force, and what would be.
type Transition struct {
	Before, After *Table
	Image         Image // the records it changes, as they are before
	Cuts          []Cut // connections it would cut
}

// Receipt is what became of a write.
type Receipt struct {
	Transition
	Commit *Commit // nil where nothing changed, and for a dry run
}

// ErrNoRoom says that a change is more than the kernel has room for.
var ErrNoRoom = errors.New("no room in the kernel")

// ErrNotKept says that the store could not take a change. Nothing of it is in
// force.
var ErrNotKept = errors.New("not kept")

// Locked refuses a change to what waits to be confirmed.
type Locked struct {
	Name     string
	Revision uint64
	Until    time.Time
	Why      string // it could not be taken back any more; "": the change is to what waits itself
}

func (e *Locked) Error() string {
	text := fmt.Sprintf("%s waits for revision %d to be confirmed, until %s", e.Name, e.Revision, e.Until.UTC().Format(time.RFC3339))
	if e.Why != "" {
		text += ", and could not be taken back any more: " + e.Why
	}
	return text
}

// LocksOut refuses a change that would cut established connections.
type LocksOut struct {
	Cuts []Cut
	List string // that cuts the first; "" where it is no list's doing
}

// LockedOut says of cuts what cuts them.
func (t *Table) LockedOut(cuts []Cut) *LocksOut {
	first := cuts[0]
	e := &LocksOut{Cuts: cuts}
	if v := t.DecidePacket(first.Endpoint, first.Remote.Addr()); v.List != nil {
		e.List = v.Place(first.Endpoint).String()
	}
	return e
}

func (e *LocksOut) Error() string {
	first := e.Cuts[0]
	by := "endpoint " + first.Endpoint.Name
	if e.List != "" {
		by = "list " + e.List
	}
	text := fmt.Sprintf("the connection from %s to port %d would be cut by %s", first.Remote.Addr(), first.Local.Port(), by)
	if more := len(e.Cuts) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}
