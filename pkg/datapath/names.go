package datapath

import (
	"maps"
	"sync"

	"github.com/postern-io/postern/pkg/policy"
)

const (
	slotCount  = 1024          // SLOTS of maps.h
	sharedSlot = slotCount - 1 // of unions, and of endpoints that came too late for one of their own
)

// names gives endpoints the numbers the kernel knows them by. Both stay with a
// name for as long as it is in a plan: a counter that moved would be no counter.
type names struct {
	mu      sync.Mutex
	numbers map[string]uint32
	named   []string          // by number; 0 is nobody
	refs    map[string]int    // records an endpoint has
	slots   map[string]uint32 // its counters
	free    []uint32          // slots that nobody had yet, or that are free again
	leaving []uint32          // slots that packets may still count in
}

func newNames() *names {
	n := &names{
		numbers: map[string]uint32{"": 0},
		named:   []string{""},
		refs:    map[string]int{},
		slots:   map[string]uint32{},
	}
	for slot := range uint32(sharedSlot) {
		n.free = append(n.free, sharedSlot-1-slot)
	}
	return n
}

// number is what events call a record by.
func (n *names) number(name string) uint32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	number, ok := n.numbers[name]
	if !ok {
		number = uint32(len(n.named))
		n.named = append(n.named, name)
		n.numbers[name] = number
	}
	return number
}

// name is the inverse of number.
func (n *names) name(number uint32) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if int(number) < len(n.named) {
		return n.named[number]
	}
	return ""
}

// slot is where a record counts. Unions count in the shared slot: there is one
// for every address, and what they refuse no endpoint was asked about.
func (n *names) slot(r *policy.Record) uint32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r.Endpoint == nil {
		return sharedSlot
	}
	if slot, ok := n.slots[r.Name]; ok {
		return slot
	}
	return sharedSlot
}

// admit gives slots to the endpoints of a plan that have none, as far as there
// are slots, and returns who got which: those start from zero.
func (n *names) admit(from, to *policy.Plan) map[string]uint32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	admitted := map[string]uint32{}
	eachChanged(from, to, func(_, after *policy.Record) {
		if after == nil || after.Endpoint == nil || len(n.free) == 0 {
			return
		}
		if _, has := n.slots[after.Name]; has {
			return
		}
		slot := n.free[len(n.free)-1]
		n.free = n.free[:len(n.free)-1]
		n.slots[after.Name], admitted[after.Name] = slot, slot
	})
	return admitted
}

// revoke undoes admit.
func (n *names) revoke(admitted map[string]uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, slot := range admitted {
		delete(n.slots, name)
		n.free = append(n.free, slot)
	}
}

// commit counts the records that come and go, and takes the slots of endpoints
// that have none left.
func (n *names) commit(from, to *policy.Plan) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var went []string
	eachChanged(from, to, func(before, after *policy.Record) {
		if before != nil && before.Endpoint != nil {
			n.refs[before.Name]--
			went = append(went, before.Name)
		}
		if after != nil && after.Endpoint != nil {
			n.refs[after.Name]++
		}
	})
	for _, name := range went {
		if n.refs[name] > 0 {
			continue
		}
		delete(n.refs, name)
		if slot, has := n.slots[name]; has {
			delete(n.slots, name)
			n.leaving = append(n.leaving, slot)
		}
	}
}

// taken are the slots that endpoints have.
func (n *names) taken() map[string]uint32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.slots)
}

// settle frees the slots that no packet counts in any more.
func (n *names) settle() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.free = append(n.free, n.leaving...)
	n.leaving = nil
}

// eachChanged calls f with the records that differ between two plans; nil is
// none.
func eachChanged(from, to *policy.Plan, f func(before, after *policy.Record)) {
	for i := range to.Records.Since(from.Records) {
		f(from.Records.At(i), to.Records.At(i))
	}
}
