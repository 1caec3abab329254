package datapath

import "golang.org/x/sys/unix"

// Usage is how full the kernel's maps are.
type Usage struct {
	Lists       int // loaded; equal ones are one
	InTries     int // of them, those for which the index had no room
	IndexBytes  int // in use
	MaxIndex    int // Config.MaxIndexBytes
	Entries     int // trie entries, both families
	MaxEntries  int // Config.MaxPrefixes
	Records     int // endpoints and unions
	KernelBytes uint64
}

// entryBytes is what an entry takes in a trie: its node, and nearly always one
// above it. An IPv6 node is a little more than the allocator's 64 bytes.
var entryBytes = [families]uint64{v4: 2 * 64, v6: 2 * 96}

// Usage is how full the kernel's maps are. It does not wait for an Apply.
func (d *Datapath) Usage() Usage {
	var u Usage
	if published := d.published.Load(); published != nil {
		u = published.Usage
		u.IndexBytes = int(published.nodes.used.Load()) * nodeBytes
	}
	u.MaxEntries, u.MaxIndex = d.cfg.MaxPrefixes, d.maxNodes()*nodeBytes
	for family := range families {
		n := d.loader.tries.entries[family].Load()
		u.Entries += int(n)
		u.KernelBytes += uint64(n) * entryBytes[family]
	}
	return u
}

// published is what Usage goes by without waiting for an Apply.
type published struct {
	Usage
	nodes *nodes
}

// usage is the part of it that changes with a revision; d.mu is held.
func (d *Datapath) usage() *published {
	u := &published{nodes: d.gen.lists.nodes, Usage: Usage{
		Lists: len(d.gen.lists.sets), InTries: d.gen.lists.inTries,
		Records: max(d.plan.Records.End()-1, 0),
	}}
	for _, m := range d.gen.coll.Maps {
		if m.Flags()&unix.BPF_F_MMAPABLE != 0 {
			u.KernelBytes += uint64(m.MaxEntries()) * uint64(m.ValueSize())
		}
	}
	return u
}
