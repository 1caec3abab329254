package policy

// Told is what the journal is told of a write beside what history keeps of it.
// It goes from the Write to its Commit as it is.
type Told struct {
	Action string // "list.replace"
	Trace  string // of the request, as its sender was told
	Forced bool   // a guard was overruled
}
