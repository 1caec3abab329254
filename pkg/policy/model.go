package policy

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/postern-io/postern/pkg/addr"
)

// State is everything the operator said, as one revision. It is never changed
// once it is compiled: an edit copies what it touches and shares the rest, and
// Compile knows an unchanged list by its pointer.
type State struct {
	Mode         Mode
	Unlisted     Unlisted
	Unmap        bool // mapped: unmap; read ::ffff:a.b.c.d as a.b.c.d
	FilteringOff bool // lifts system, tenant and user lists (filtering: off)
	FilteringAt  Pos  // where a file says whether; zero: none does, and the store may
	PassMPLS     bool
	TunnelsFrom  []netip.Prefix // who may send tunnelled packets to a guarded address
	Failsafe     []Failsafe
	Resources    []string         // names declared beside the four built in
	System       map[string]*List // by resource
	Tenants      Map[Tenant]      // by id
	Endpoints    []*Endpoint
	// Dormant are endpoints that no file has any more and whose security the store
	// keeps: they enforce nothing, and have it again when they come back.
	Dormant []*Endpoint
}

// Tenant is an organisation: its record and its lists. Who owns the record may
// own none of the lists, and the other way round.
type Tenant struct {
	ID         string
	Name       string // for people; "": the ID
	Hosts      []string
	StaffOnly  bool              // self_service: false; its own admins do not write its lists
	Attributes json.RawMessage   // an object of the operator's own, in the order it was written
	Names      map[string]string // of its users, by id; a user without a name has an empty one
	Owner      string            // the file the record stands in; "": the store, or nobody
	Stored     bool              // the record is the store's

	Lists map[string]*List            // by resource
	Users map[string]map[string]*List // by user, then by resource
	Pos   Pos                         // where it is first named
}

// List is the entries at one scope for one resource.
type List struct {
	State    ListState
	Entries  []Entry
	Owner    string // the file it stands in; "" for the store
	Orphaned bool   // the owning file is gone, the list still holds
	Pos      Pos
}

// Entry is one line of a list.
type Entry struct {
	Text     string // as typed
	Range    addr.Range
	Action   Action
	Disabled bool
	Comment  string
	Expires  time.Time // zero: never
	By       *Stamp    // nil: a file's
	Pos      Pos
}

// Stamp says who wrote an entry, and when. The entries of one write share it.
type Stamp struct {
	Author            string
	Created, Modified time.Time
}

// Live reports whether e counts at time now: enabled, and not yet over.
func (e *Entry) Live(now time.Time) bool {
	return !e.Disabled && (e.Expires.IsZero() || now.Before(e.Expires))
}

// Pos is where something was written; the zero Pos is nowhere.
type Pos struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Failsafe is traffic the kernel never drops, whatever lists and denies say.
type Failsafe struct {
	Protocol Protocol // TCP or UDP
	Ports    []PortRange
	From     []netip.Prefix
	Pos      Pos
}

// Endpoint is something the host serves, and who may reach it.
type Endpoint struct {
	Name        string
	Protocol    Protocol
	Destination Destination
	Ports       []PortRange // none with AnyProtocol, which has every port
	AllTenants  bool        // tenants: left out
	Tenants     []string    // in the order typed; empty without AllTenants: a service without tenants
	Resource    string      // "*": only "*" lists apply
	Policies    *List       // the endpoint's own list
	Client      Client
	Refuse      Refuse
	Mode        Mode
	Unlisted    Unlisted
	Loopback    Loopback
	Verify      Verify
	StrictHosts bool // the Host must be one of the tenant's even when there is one tenant
	HTTP        *HTTP
	Project     string // the service it belongs to, as people group them; "": default
	Service     string
	Security    *Security // what it asks beside the address; nil: nothing
	// Secured says that Policies, Verify and Security are the store's, also where
	// a file owns the rest.
	Secured bool
	Port    *Port // how a service's owner sees it; nil: by the fields above
	Pos     Pos   // zero: the store's
}

// Security is what an endpoint asks of a request beside its address.
type Security struct {
	Credentials []Credential
	Headers     []HeaderRule
	SSO         *SSO
}

// Credential is a user name and the argon2id hash of its password.
type Credential struct{ Username, Hash string }

// HeaderRule is a header a request must carry: its value as it stands, "*" for
// any run of characters, or a regular expression that matches all of it.
type HeaderRule struct {
	Name, Value string
	Regex       bool
}

// SSO says who may sign in.
type SSO struct {
	Organization              string
	Groups                    []string // one of them suffices
	AnyOrgUsers               bool
	ValidateInternal          bool // private networks must sign in too
	RootDomainCookie          bool
	AllowInternalViaPublicDNS bool
}

// Port is an endpoint as the owner of a service sees it.
type Port struct {
	Name          string // in public names
	Protocol      string // HTTP, HTTP/2, TCP or UDP
	Public        bool
	Domains       []string
	DisableDomain bool
}

// Client says how an endpoint knows its client's address.
type Client struct {
	Source    ClientSource
	Header    string         // with HeaderField
	Proxies   []netip.Prefix // who may speak for others
	Hops      int            // trusted_hops: the client is the N-th address from the right; 0: walk by Proxies
	Exhausted Exhausted
}

// HTTP is an endpoint's gate.
type HTTP struct {
	Listen   string // host:port
	Upstream string // URL
	Health   string // exact path the gate answers itself, to proxies and HealthFrom only; "": none
	// HealthFrom are health checkers beside the proxies, let through by the kernel too.
	HealthFrom []netip.Prefix
	HideOrg    bool // refusal: {org: hide}
}

// Destination is the addresses an endpoint stands on. The zero Destination is
// every address of this host.
type Destination struct {
	Prefix     netip.Prefix // valid: this address or prefix
	Everything bool         // any destination at all, for hosts that forward
}

func (d Destination) String() string {
	switch {
	case d.Everything:
		return "everything"
	case !d.Prefix.IsValid():
		return "this host"
	case d.Prefix.IsSingleIP():
		return d.Prefix.Addr().String()
	}
	return d.Prefix.String()
}

// PortRange is first to last, both in.
type PortRange struct{ First, Last uint16 }

func (r PortRange) String() string {
	switch {
	case r.First == r.Last:
		return strconv.Itoa(int(r.First))
	case r == AllPorts:
		return "all"
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// Contains reports whether port lies in r.
func (r PortRange) Contains(port uint16) bool { return r.First <= port && port <= r.Last }

// AllPorts is "ports: all".
var AllPorts = PortRange{0, 65535}

// AnyResource is the name "*": as a list's resource, a condition on every
// resource; as an endpoint's, that only such lists apply.
const AnyResource = "*"

// KnownResources are the names a list of s may have beside "*".
func (s *State) KnownResources() []string {
	return slices.Concat(BuiltinResources, s.Resources)
}

// BuiltinResources are the resources that need no declaration.
var BuiltinResources = []string{"managementAPI", "adminAPI", "dataAccess", "webUI"}
