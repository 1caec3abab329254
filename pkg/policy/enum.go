package policy

// The zero value of each enumeration is the default of the configuration.

//go:generate go tool stringer -linecomment -type=Mode,Unlisted,ListState,Action,Protocol,ClientSource,Exhausted,Refuse,Loopback,Verify,Scope,Reason,Outcome -output enum_string.go

// Mode is how far a verdict is carried out. The weaker of two is the larger.
type Mode uint8

const (
	Enforce Mode = iota // enforce
	Monitor             // monitor
	Off                 // off
)

// Unlisted is what "no list" means.
type Unlisted uint8

const (
	Inherit        Unlisted = iota // inherit
	UnlistedOpen                   // open
	UnlistedClosed                 // closed
)

// ListState is whether a list counts.
type ListState uint8

const (
	ListOn      ListState = iota // on
	ListMonitor                  // monitor
	ListOff                      // off
)

// Action is what an entry does to the addresses it names.
type Action uint8

const (
	Allow Action = iota // allow
	Deny                // deny
)

// Protocol is the transport an endpoint speaks.
type Protocol uint8

const (
	TCP         Protocol = iota // tcp
	UDP                         // udp
	AnyProtocol                 // any
)

// ClientSource is where the client's address is read.
type ClientSource uint8

const (
	Peer          ClientSource = iota // peer
	XForwardedFor                     // xff
	Forwarded                         // forwarded
	HeaderField                       // header
	ProxyProtocol                     // proxy-protocol
)

// Exhausted is who the client is when no untrusted address is left in the chain.
type Exhausted uint8

const (
	ExhaustedDeny     Exhausted = iota // deny
	ExhaustedPeer                      // peer
	ExhaustedLeftmost                  // leftmost
)

// Refuse is how a refusal is given. RefuseDefault is respond where the endpoint
// has HTTP and drop elsewhere.
type Refuse uint8

const (
	RefuseDefault Refuse = iota // default
	RefuseDrop                  // drop
	RefuseRespond               // respond
)

// Loopback is whether a true loopback peer is judged or exempt from lists.
type Loopback uint8

const (
	LoopbackJudge  Loopback = iota // judge
	LoopbackExempt                 // exempt
)

// Verify joins an endpoint's own kinds of check (verificationMode).
type Verify uint8

const (
	VerifyAnd Verify = iota // and
	VerifyOr                // or
)

// Scope is the level a list stands at, in the order they are judged.
type Scope uint8

const (
	NoScope       Scope = iota // none
	ScopeSystem                // system
	ScopeTenant                // tenant
	ScopeUser                  // user
	ScopeEndpoint              // endpoint
)

// Reason is why a verdict came out as it did.
type Reason uint8

const (
	Unrestricted  Reason = iota // unrestricted
	Listed                      // listed
	Exempt                      // exempt
	DenyEntry                   // deny-entry
	NotListed                   // not-listed
	NobodyLive                  // nobody-live
	NoList                      // no-list
	UnknownTenant               // unknown-tenant
	NoAddress                   // no-address
	NotProxy                    // not-a-proxy
)
