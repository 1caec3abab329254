package port

import (
	"net/http"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/api/front"
)

// maxBody is what somebody who is not known yet may send: it is held for as long as
// it takes to come.
const maxBody = 4 << 10

// token gives a client its token, which is the same one until it is over.
func (d *Dialect) token(w http.ResponseWriter, r *http.Request) error {
	var shown access.Credentials
	shape := body.Object(body.Fields{"clientId": body.Text(&shown.ID), "clientSecret": body.Text(&shown.Secret)}, "clientId", "clientSecret")
	if err := body.Read(w, r, body.Limits{Bytes: maxBody}, shape); err != nil {
		return err
	}
	if no := front.Login(w.Header(), r, shown); no != nil {
		return no
	}
	token, err := d.control.PortToken(front.CallOf(r.Context()))
	if err != nil {
		return err
	}
	return dialect.Reply(w, http.StatusOK, struct {
		OK          bool   `json:"ok"`
		AccessToken string `json:"accessToken"`
		ExpiresIn   int    `json:"expiresIn"` // seconds
		TokenType   string `json:"tokenType"`
	}{true, token.Text, int(token.Expires.Sub(d.now()) / time.Second), "Bearer"})
}
