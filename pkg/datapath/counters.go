package datapath

import "fmt"

// Tally is packets and their bytes.
type Tally struct{ Packets, Bytes uint64 }

// Counters are totals since the agent started. Every packet is in Reasons or in
// WouldDrop, once.
type Counters struct {
	Reasons    map[Reason]Tally
	WouldDrop  map[Reason]Tally           // let through by monitor, with the reason to drop
	Endpoints  map[string]EndpointCounter // by name
	Rest       EndpointCounter            // of endpoints beyond the first 1,023, and of unions
	EventsLost uint64                     // refusals no event told of
}

// EndpointCounter is what became of the packets an endpoint was asked about.
type EndpointCounter struct{ Pass, Drop, WouldDrop Tally }

// Counters reads what became of the packets since the agent started.
func (d *Datapath) Counters() (Counters, error) {
	c := Counters{Reasons: map[Reason]Tally{}, WouldDrop: map[Reason]Tally{}, Endpoints: map[string]EndpointCounter{}}
	for _, r := range Reasons() {
		for half, into := range []map[Reason]Tally{c.Reasons, c.WouldDrop} {
			var perCPU []bpfTally
			if err := d.read(bpfMapReasons, uint32(r)+uint32(half)*uint32(bpfReasonREASONS), &perCPU); err != nil {
				return Counters{}, err
			}
			into[r] = sum(perCPU)
		}
	}
	for name, slot := range d.names.taken() {
		counter, err := d.endpointCounter(slot)
		if err != nil {
			return Counters{}, err
		}
		c.Endpoints[name] = counter
	}
	var err error
	if c.Rest, err = d.endpointCounter(sharedSlot); err != nil {
		return Counters{}, err
	}
	var limits []bpfLimit
	if err := d.read(bpfMapLimits, uint32(bpfLimitedEVENTS), &limits); err != nil {
		return Counters{}, err
	}
	for _, l := range limits {
		c.EventsLost += l.Refused
	}
	return c, nil
}

func (d *Datapath) endpointCounter(slot uint32) (EndpointCounter, error) {
	var perCPU []bpfSlot
	if err := d.read(bpfMapSlots, slot, &perCPU); err != nil {
		return EndpointCounter{}, err
	}
	var c EndpointCounter
	for _, s := range perCPU {
		c.Pass.add(s.Pass)
		c.Drop.add(s.Drop)
		c.WouldDrop.add(s.Would)
	}
	return c, nil
}

func (d *Datapath) read(name string, key uint32, perCPU any) error {
	if err := d.loader.shared[name].Lookup(key, perCPU); err != nil {
		return fmt.Errorf("read counters: %w", err)
	}
	return nil
}

func sum(perCPU []bpfTally) Tally {
	var t Tally
	for _, n := range perCPU {
		t.add(n)
	}
	return t
}

func (t *Tally) add(n bpfTally) {
	t.Packets += n.Packets
	t.Bytes += n.Bytes
}
