package datapath

import (
	"fmt"
	"testing"

	"github.com/postern-io/postern/pkg/policy"
)

func endpointPlan(names ...string) *policy.Plan {
	var records []policy.Record
	for _, name := range names {
		records = append(records, policy.Record{Endpoint: &policy.Endpoint{Name: name}, Name: name})
	}
	return &policy.Plan{Records: policy.RecordsOf(records...)}
}

func (n *names) step(from, to *policy.Plan) {
	n.admit(from, to)
	n.commit(from, to)
}

// room is how many slots are free.
func (n *names) room() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.free)
}

func TestNamesKeepTheirSlot(t *testing.T) {
	n := newNames()
	empty, ab := &policy.Plan{}, endpointPlan("a", "b")
	n.step(empty, ab)
	a, b := n.slot(ab.Records.At(1)), n.slot(ab.Records.At(2))
	if a == b || a == sharedSlot || b == sharedSlot {
		t.Fatalf("slots %d and %d", a, b)
	}
	moved := endpointPlan("new", "b", "a")
	n.step(ab, moved)
	if n.slot(moved.Records.At(3)) != a || n.slot(moved.Records.At(2)) != b {
		t.Errorf("a slot moved with its record")
	}
	union := policy.Record{Name: "a+b"}
	if got := n.slot(&union); got != sharedSlot {
		t.Errorf("a union counts in slot %d", got)
	}
}

func TestNamesFreeASlotAfterTheGracePeriod(t *testing.T) {
	n := newNames()
	n.free = n.free[len(n.free)-1:] // one is left
	a, b := endpointPlan("a"), endpointPlan("b")
	n.step(&policy.Plan{}, a)
	slot := n.slot(a.Records.At(1))
	n.step(a, b)
	if got := n.slot(b.Records.At(1)); got != sharedSlot {
		t.Errorf("b counts in slot %d, where packets may still be counted for a", got)
	}
	n.settle()
	c := endpointPlan("c")
	n.step(b, c)
	if got := n.slot(c.Records.At(1)); got != slot {
		t.Errorf("c counts in slot %d, not in %d, which is free", got, slot)
	}
}

func TestNamesRevoke(t *testing.T) {
	n := newNames()
	free := len(n.free)
	a := endpointPlan("a")
	n.revoke(n.admit(&policy.Plan{}, a))
	if got := n.slot(a.Records.At(1)); got != sharedSlot || len(n.free) != free {
		t.Errorf("after revoking, slot %d and %d free of %d", got, len(n.free), free)
	}
}

func TestNamesRunOut(t *testing.T) {
	n := newNames()
	var all []string
	for i := range slotCount + 10 {
		all = append(all, fmt.Sprintf("e%d", i))
	}
	p := endpointPlan(all...)
	n.step(&policy.Plan{}, p)
	counts := map[uint32]int{}
	for _, r := range p.Records.All() {
		counts[n.slot(r)]++
	}
	if len(counts) != slotCount || counts[sharedSlot] != 11 {
		t.Errorf("%d slots are used, %d endpoints share one", len(counts), counts[sharedSlot])
	}
	if got := n.name(n.number("e7")); got != "e7" {
		t.Errorf("e7's number is %q's", got)
	}
}
