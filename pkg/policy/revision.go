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
	// Store is the id of the store that has this revision; "": none has.
	Store string
}
