package api

import (
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// Status is what one needs to know first about an agent.
type Status struct {
	Version    string    `json:"version"`
	State      string    `json:"state"` // starting, ok or degraded
	Why        string    `json:"why,omitempty"`
	Started    time.Time `json:"started"`
	Config     string    `json:"config"`
	Mode       string    `json:"mode"`
	Revision   uint64    `json:"revision"`
	Since      time.Time `json:"since,omitzero"` // when the revision took force
	NextExpiry time.Time `json:"nextExpiry,omitzero"`
	Reload     Reload    `json:"reload"`
	Count      Count     `json:"count"`
	Kernel     Kernel    `json:"kernel"`

	Interfaces []Interface     `json:"interfaces"`
	Endpoints  []Endpoint      `json:"endpoints"`
	Orphaned   []List          `json:"orphaned"`
	Problems   policy.Problems `json:"problems"`
	Bypasses   []Bypass        `json:"bypasses"`
	EventsLost uint64          `json:"eventsLost"`
}

// Reload is the last time the agent read its files.
type Reload struct {
	At    time.Time `json:"at,omitzero"`
	OK    bool      `json:"ok"`
	Error string    `json:"error,omitempty"`
}

// Count is the size of the policy.
type Count struct {
	Tenants int `json:"tenants"`
	Lists   int `json:"lists"`
	Entries int `json:"entries"`
}

// Kernel is what the policy takes up in the kernel.
type Kernel struct {
	Lists      int    `json:"lists"` // compiled; equal ones are one
	IndexBytes int    `json:"indexBytes"`
	MaxIndex   int    `json:"maxIndexBytes"`
	InTries    int    `json:"inTries"`  // lists for which the index had no room
	Prefixes   int    `json:"prefixes"` // in the tries
	Capacity   int    `json:"capacity"` // prefixes that fit there
	Bytes      uint64 `json:"bytes"`    // all of it, estimated
}

// Interface is one interface the agent was told to guard.
type Interface struct {
	Name  string    `json:"name"`
	Index int       `json:"index,omitempty"`
	Mode  string    `json:"mode"`          // native, generic, or none
	Why   string    `json:"why,omitempty"` // what kept it from a better mode
	Since time.Time `json:"since,omitzero"`
	Gap   float64   `json:"gap,omitempty"` // seconds it was there unguarded, having come after the agent
	Error string    `json:"error,omitempty"`
}

// Endpoint is something the host serves, who may reach it and how many did.
type Endpoint struct {
	Name        string   `json:"name"`
	Protocol    string   `json:"protocol"`
	Destination string   `json:"destination"`
	Ports       []string `json:"ports"`
	Tenants     []string `json:"tenants,omitempty"`
	AllTenants  bool     `json:"allTenants,omitempty"`
	Resource    string   `json:"resource"`
	Client      string   `json:"client"`
	Refuse      string   `json:"refuse"`
	Mode        string   `json:"mode"`
	Lists       []string `json:"lists"`          // that judge it; tenants/* where every tenant's may
	Open        string   `json:"open,omitempty"` // why nothing restricts it
	Traffic
}

// Traffic is what the kernel passed and dropped at an endpoint.
type Traffic struct {
	Pass      Volume `json:"pass"`
	Drop      Volume `json:"drop"`
	WouldDrop Volume `json:"wouldDrop"` // let through because something only monitors
}

// Volume is an amount of traffic.
type Volume struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
}

// Bypass is a way to a guarded socket that no interface program sees.
type Bypass struct {
	Kind   string `json:"kind"`
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
}
