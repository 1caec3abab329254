package datapath

// Usage is how full the kernel's maps are.
type Usage struct {
	Lists       int // loaded
	Entries     int // trie entries, both families
	MaxEntries  int // Config.MaxPrefixes
	Records     int // endpoints and unions
	KernelBytes uint64
}
