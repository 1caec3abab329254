package audit

// Note is a line with its place in the chain. A Note without Line stands for the
// chain up to it; the zero Note for the empty one.
type Note struct {
	Seq  uint64
	Hash [32]byte
	Line []byte // without newline
}
