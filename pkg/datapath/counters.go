package datapath

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
