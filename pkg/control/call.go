package control

import (
	"net/netip"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/policy"
)

// Call is who asks for something, how, and how much it minds.
type Call struct {
	Caller *access.Caller // nil: nobody, who may nothing
	From   netip.Addr     // the address judged; invalid: a unix socket
	// Exempt says that lists do not apply to where the call comes from: the unix
	// socket, and a true loopback peer.
	Exempt   bool
	Resource string    // whose lists guard the API that was called: managementAPI, adminAPI
	Origin   string    // the API: api, hdp, trustx, northflank, port
	Trace    string    // as the caller is told
	Since    time.Time // when its connection was made

	Reason  string
	Force   bool          // also what a guard refuses
	MayOpen bool          // the request itself says "open", as HDP's null and DELETE do
	Lenient bool          // a dialect's: where its own lists shut a key out, that is a warning
	Confirm time.Duration // take it back after so long, unless it is confirmed; 0: do not
	DryRun  bool
}

// nobody may nothing. It stands for the caller of a call that has none.
var nobody = access.Caller{Name: "nobody"}

func (c *Call) who() *access.Caller {
	if c.Caller == nil {
		return &nobody
	}
	return c.Caller
}

// Author is the caller as history tells of it.
func (c *Call) Author() policy.Author {
	a := c.who().Author()
	a.From = c.From
	return a
}
