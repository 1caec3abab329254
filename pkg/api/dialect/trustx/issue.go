package trustx

import (
	"net/http"
	"time"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/control"
)

// issue trades a key's secret for a token. The body is {}, and may be left out.
func (d *Dialect) issue(w http.ResponseWriter, r request) error {
	if err := d.ownTenant(r); err != nil {
		return err
	}
	if r.ContentLength != 0 {
		if err := body.Read(w, r.Request, d.limits, body.Object(nil)); err != nil {
			return err
		}
	}
	token, err := d.control.Token(r.Call, 0)
	if err != nil {
		return err
	}
	return dialect.Reply(w, http.StatusOK, struct {
		Token string `json:"token"`
		TTL   int32  `json:"ttl"`
	}{token.Text, int32(token.Expires.Sub(d.now()) / time.Second)})
}

// ownTenant refuses a key of another tenant than the host's.
func (d *Dialect) ownTenant(r request) error {
	who := r.Caller
	if who.Tenant == "" || who.Tenant == r.tenant {
		return nil
	}
	no := &control.Refusal{Kind: control.Forbidden, What: who.Name + " is no key of tenant " + r.tenant}
	d.control.Refused(audit.Record{
		Actor:  audit.Actor{ID: who.ID, Name: who.Name, Tenant: who.Tenant, From: r.From},
		Action: "token.issue", Objects: []string{"tenants/" + r.tenant}, Tenants: []string{r.tenant},
		Origin: r.Origin, Error: no.What, Trace: r.Trace,
	})
	return no
}
