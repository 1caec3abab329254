package datapath

import (
	"math"

	"github.com/postern-io/postern/pkg/policy"
)

// revision is a plan on its way into a bank.
type revision struct {
	plan   *policy.Plan
	was    *policy.Plan // what the bank holds
	places *places
	moved  bool // the bank holds other places
	lists  *staging
	names  *names
}

// write brings the bank from r.was to r.plan. No packet reads it meanwhile.
func (b bank) write(r *revision) {
	b.writeRecords(r)
	if r.moved {
		b.writePlaces(r)
	}
	b.writeClasses(r)
	b.writePorts(r)
	head := &b.heads[0]
	*head = bpfHead{
		Tunnels:  r.lists.words(r.plan.Tunnels),
		Failsafe: r.lists.words(r.plan.FailsafeAny),
		Guard:    uint32(r.plan.Guard),
		Other:    uint32(r.plan.Other),
		Mode:     uint32(r.plan.Mode),
	}
	if r.plan.PassMPLS {
		head.PassMpls = 1
	}
}

// writeRecords writes what differs. Shadows stand behind the records and move
// with their number, so they are written whatever happened to them.
func (b bank) writeRecords(r *revision) {
	for i := range r.plan.Records.Since(r.was.Records) {
		if record := r.plan.Records.At(i); record != nil {
			b.records[i] = r.encode(record)
			b.copy(r, i)
		}
	}
	if r.plan.Records.Shadows() == 0 {
		return
	}
	shadow := r.plan.Records.End()
	for i, record := range r.plan.Records.All() {
		if record.HasShadow() {
			b.records[shadow] = r.encodeShadow(record)
			for family := range b.records[i].Of {
				b.records[i].Of[family].Shadow = uint32(shadow)
			}
			b.copy(r, i)
			shadow++
		}
	}
}

func (r *revision) encode(record *policy.Record) bpfRecords {
	own, tenant := r.lists.words(record.Own), r.lists.words(record.Tenant)
	number, slot := r.names.number(record.Name), r.names.slot(record)
	var on bpfRecords
	for family := range on.Of {
		on.Of[family] = bpfRecord{
			Own: own[family], Tenant: tenant[family],
			Number: number, Slot: uint16(slot), Mode: uint8(record.Mode),
		}
	}
	return on
}

// encodeShadow is the record as the law has it.
func (r *revision) encodeShadow(record *policy.Record) bpfRecords {
	shadow := *record
	if record.ShadowOwn != nil {
		shadow.Own = record.ShadowOwn
	}
	if record.ShadowTenant != nil {
		shadow.Tenant = record.ShadowTenant
	}
	return r.encode(&shadow)
}

// copy brings what the places have of a record up to date.
func (b bank) copy(r *revision, record int) {
	if r.moved {
		return
	}
	for _, p := range r.places.copies(record) {
		b.fill(p)
	}
}

func (b bank) writePlaces(r *revision) {
	clear(b.exact)
	for _, p := range r.places.exact {
		b.fill(p)
	}
}

// fill writes a place: the record, the destination, and the tenant's list if the
// rest of the line holds it.
func (b bank) fill(p place) {
	to := &b.exact[p.at]
	*to = bpfPlace{Record: b.records[p.record].Of[p.family]}
	to.Record.Placed = 1
	ends := to.Word[:]
	if p.family == v4 {
		to.Record.Key4 = uint32(p.key[0])
	} else {
		copy(to.Word[2:], p.key[:])
		ends = to.Word[:2]
	}
	if kindOf(to.Record.Tenant) != bpfKindLINE {
		return
	}
	line := form6{}.view(&b.nodes[ref(to.Record.Tenant>>32).node()])
	if line[len(ends)] == math.MaxUint64 { // as is all that is behind the last end
		copy(ends, line[:])
		to.Record.Tenant += uint64(bpfKindHERE - bpfKindLINE)
	}
}

func (b bank) writeClasses(r *revision) {
	for i := 1; i < len(r.plan.Classes); i++ {
		class, on := &r.plan.Classes[i], &r.places.classes[i]
		b.classes[i] = bpfClass{
			First: on.first, Homes: on.homes, List: r.lists.classes[i].ids,
			Any: uint32(class.Any), Broadcast: uint32(class.Broadcast),
		}
	}
}

func (b bank) writePorts(r *revision) {
	index := map[*policy.Set]uint32{nil: 0}
	for i, s := range failsafeSets(r.plan) {
		index[s] = uint32(i + 1)
		b.failsafes[i+1].Word = r.lists.words(s)
	}
	clear(b.ports)
	for protocol, classes := range [][]policy.PortClass{r.plan.TCP, r.plan.UDP} {
		ports := half(b.ports, protocol)
		for _, pc := range classes {
			for port := int(pc.First); port <= int(pc.Last); port++ {
				ports[port] = bpfPort{Class: uint32(pc.Class), Failsafe: index[pc.Failsafe]}
			}
		}
	}
}
