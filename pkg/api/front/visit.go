package front

import (
	"context"
	"net/http"
	"net/netip"
	"os"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/serve"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/control"
)

// Client is whom a request over TCP speaks for, by its peer and its headers.
type Client struct {
	Addr     netip.Addr // invalid: nobody can be named
	Vouched  bool       // a declared proxy handed it on, whose headers may be believed
	TruePeer bool       // Addr is the peer, and no header speaks of another
}

// passage is a request that a front has let through.
type passage struct {
	front *front
	visit *visit
}

type passageKey struct{}

func passageOf(ctx context.Context) *passage {
	p, _ := ctx.Value(passageKey{}).(*passage)
	return p
}

// CallOf is the call that a request makes, behind a front. It is the request's
// own: what the request asks for beside is written into it.
func CallOf(ctx context.Context) *control.Call {
	if p := passageOf(ctx); p != nil {
		return &p.visit.Call
	}
	return nil
}

// visit is a request on its way through.
type visit struct {
	control.Call
	local *access.Caller // at the other end of a unix socket
	named *access.Key    // that was named and not proved
}

func (f *front) visit(r *http.Request) *visit {
	peer, _ := serve.PeerOf(r.Context())
	v := &visit{Call: control.Call{Origin: f.way.Origin, Lenient: f.way.Lenient, Resource: resource(r), Since: peer.Since}}
	var c Client
	if peer.Local {
		uid := int(peer.UID)
		v.local = access.Local(uid, uid == 0 || uid == os.Geteuid())
		v.Exempt = true
	} else {
		c = f.Client(peer.Addr.Addr(), r.Header)
		v.From = c.Addr
		v.Exempt = c.TruePeer && c.Addr.IsLoopback()
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
		rec.Actor.ID, rec.Actor.Name, rec.Actor.Tenant = who.ID, who.Name, who.Tenant
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
