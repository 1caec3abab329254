package policy

import "time"

// Revision is one whole State with its number: what enforcement moves from and
// to, and what is kept to start from.
type Revision struct {
	Number uint64
	Since  time.Time // when it came into force
	State  *State
	// Settings are what the agent needs to run when its own file cannot be
	// read. Who keeps a revision does not look inside.
	Settings []byte
	// Store is the id of the store whose records the State has, and Stored its
	// number then; "": no store has been seen yet.
	Store  string
	Stored uint64
}
