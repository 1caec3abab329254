package metrics

import "time"

// Snapshot is what the rest of the agent knows at the moment of a scrape.
type Snapshot struct {
	Version, GoVersion string

	Revision   uint64
	RevisionAt time.Time
	Degraded   bool

	ReloadAt  time.Time
	ReloadAge time.Duration
	ReloadOK  bool

	Errors, Warnings                  int
	Tenants, Lists, Orphaned, Entries int

	IndexBytes, MaxIndex int // of the kernel's index; what it may take
	InTries              int // lists for which it had no room
	Prefixes, Capacity   int // in the tries; what they may hold
	KernelBytes          uint64
	Interfaces           []Interface
	Traffic              map[string]Traffic // by endpoint
	Reasons              []Reason
	EventsLost           map[string]uint64 // by who lost them: kernel, watch
}

// share is how much of what may be is; nothing of nothing is nothing.
func share(is, may int) float64 {
	if may == 0 {
		return 0
	}
	return float64(is) / float64(may)
}

// Interface is one that should be guarded.
type Interface struct {
	Name, Mode string
	Attached   bool
}

// Traffic is what the kernel did at an endpoint.
type Traffic struct{ Pass, Drop, WouldDrop Volume }

// Reason is what became of packets, and why.
type Reason struct {
	Name, Verdict string
	Volume
}

// Volume is an amount of traffic.
type Volume struct{ Packets, Bytes uint64 }

func traffic(by map[string]Traffic, set func(float64, ...string), of func(Volume) float64) {
	for endpoint, t := range by {
		set(of(t.Pass), endpoint, "pass")
		set(of(t.Drop), endpoint, "drop")
		set(of(t.WouldDrop), endpoint, "would-drop")
	}
}

// seconds is t as Prometheus writes times; 0 where there is none.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
