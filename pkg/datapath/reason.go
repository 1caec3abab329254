package datapath

// Reason is what the program found a packet to be.
type Reason uint32

// String is the reason's stable name, as metrics and the command line print it.
func (r Reason) String() string { return "" }

// Help says in a sentence what the reason means.
func (r Reason) Help() string { return "" }

// Drop reports whether packets of this reason are dropped when enforced.
func (r Reason) Drop() bool { return false }
