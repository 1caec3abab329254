package datapath

import (
	"slices"

	"github.com/postern-io/postern/pkg/policy"
)

// revision is a plan on its way into a bank.
type revision struct {
	plan  *policy.Plan
	was   *policy.Plan // what the bank holds
	lists *staging
	names *names
}

// write brings the bank from r.was to r.plan. No packet reads it meanwhile.
func (b bank) write(r *revision) {
	b.writeRecords(r)
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
		}
	}
	if r.plan.Records.Shadows() == 0 {
		return
	}
	shadow := r.plan.Records.End()
	for i, record := range r.plan.Records.All() {
		if record.HasShadow() {
			b.records[shadow] = r.encodeShadow(record)
			b.records[i].Shadow = uint32(shadow)
			shadow++
		}
	}
}

func (r *revision) encode(record *policy.Record) bpfRecord {
	return bpfRecord{
		Own:    r.lists.words(record.Own),
		Tenant: r.lists.words(record.Tenant),
		Slot:   r.names.slot(record),
		Number: r.names.number(record.Name),
		Mode:   uint32(record.Mode),
	}
}

// encodeShadow is the record as the law has it.
func (r *revision) encodeShadow(record *policy.Record) bpfRecord {
	shadow := *record
	if record.ShadowOwn != nil {
		shadow.Own = record.ShadowOwn
	}
	if record.ShadowTenant != nil {
		shadow.Tenant = record.ShadowTenant
	}
	return r.encode(&shadow)
}

// writeClasses lays the classes' lines out one behind the other.
func (b bank) writeClasses(r *revision) {
	moved := !sameDestinations(r.was, r.plan)
	next4, next6 := 0, 0
	for i := 1; i < len(r.plan.Classes); i++ {
		class, on := &r.plan.Classes[i], &b.classes[i]
		on.Any, on.Broadcast = uint32(class.Any), uint32(class.Broadcast)
		if !moved {
			continue
		}
		p := place(class.Dests)
		on.Line = [families]uint32{uint32(next4), uint32(next6)}
		on.Lines = [families]uint32{uint32(len(p.lines4)), uint32(len(p.lines6))}
		on.List = r.lists.classes[i].ids
		next4 += copy(b.lines4[next4:], p.lines4)
		next6 += copy(b.lines6[next6:], p.lines6)
	}
}

func sameDestinations(a, b *policy.Plan) bool {
	if len(a.Classes) != len(b.Classes) {
		return false
	}
	for i := range a.Classes {
		if !slices.Equal(a.Classes[i].Dests, b.Classes[i].Dests) {
			return false
		}
	}
	return true
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
