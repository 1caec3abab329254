package front

import (
	"context"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/serve"
	"github.com/postern-io/postern/pkg/audit"
)

// Client is whom a request over TCP speaks for, by its peer and its headers.
type Client struct {
	Addr     netip.Addr // invalid: nobody can be named
	Vouched  bool       // a declared proxy handed it on, whose headers may be believed
	TruePeer bool       // Addr is the peer, and no header speaks of another
}

// Call is who makes a request, and from where.
type Call struct {
	Caller *access.Caller // nil: nobody in particular, of an open request
	From   netip.Addr     // the address judged; invalid: a unix socket
	Origin string         // the API's name
	Trace  string
	Since  time.Time // when its connection was accepted
}

type callKey struct{}

// CallOf is the call that a request makes, behind a front.
func CallOf(ctx context.Context) *Call {
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}

// visit is a request on its way through.
type visit struct {
	Call
	exempt bool           // from lists: break-glass, for who is on this host
	local  *access.Caller // at the other end of a unix socket
	named  *access.Key    // that was named and not proved
}

func (f *front) visit(r *http.Request) *visit {
	peer, _ := serve.PeerOf(r.Context())
	v := &visit{Call: Call{Origin: f.way.Origin, Since: peer.Since}}
	var c Client
	if peer.Local {
		uid := int(peer.UID)
		v.local = access.Local(uid, uid == 0 || uid == os.Geteuid())
		v.exempt = true
	} else {
		c = f.Client(peer.Addr.Addr(), r.Header)
		v.From = c.Addr
		v.exempt = c.TruePeer && c.Addr.IsLoopback()
	}
	v.Trace = trace(r, c.Vouched)
	return v
}

// record is what the journal is told of a visit that was turned away. A key that
// was named and not proved is what the attempt was on, not who made it.
func (v *visit) record(r *http.Request, no *refused) audit.Record {
	rec := audit.Record{
		Actor:  audit.Actor{From: v.From},
		Action: no.attempt, Objects: []string{r.Method + " " + r.URL.Path},
		Origin: v.Origin, Error: no.cause.Error(), Trace: v.Trace,
	}
	switch who := v.Caller; {
	case who != nil:
		rec.Actor.ID, rec.Actor.Name = who.ID, who.Name
		rec.Tenants = tenants(who.Tenant)
	case v.named != nil:
		rec.Objects = append(rec.Objects, "keys/"+v.named.ID)
		rec.Tenants = tenants(v.named.Tenant)
	}
	return rec
}

func tenants(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}
