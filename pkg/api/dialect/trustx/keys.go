package trustx

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// may asks for a right on the tenant's keys, and then whether there is the tenant.
func (d *Dialect) may(r request, a access.Action) error {
	if err := d.control.Permit(r.Call, a, access.Target{Scope: policy.ScopeTenant, Tenant: r.tenant}); err != nil {
		return err
	}
	return known(d.control.Table(), r.tenant)
}

func (d *Dialect) createKey(w http.ResponseWriter, r request) error {
	if err := d.may(r, access.CreateKeys); err != nil {
		return err
	}
	k := access.Key{Tenant: r.tenant}
	if err := body.Read(w, r.Request, d.limits, keyBody(&k, "name")); err != nil {
		return err
	}
	made, secret, err := d.control.CreateKey(r.Call, k)
	if err != nil {
		return inBody(err)
	}
	shown := keyOf(made)
	shown.Code = secret
	w.Header().Set("Location", "/api/arthr/apiKeys/"+made.ID)
	return dialect.Reply(w, http.StatusCreated, shown)
}

func (d *Dialect) getKey(w http.ResponseWriter, r request) error {
	if err := d.may(r, access.ReadKeys); err != nil {
		return err
	}
	k, err := d.control.Key(r.Call, r.PathValue("id"))
	if err != nil {
		return err
	}
	return dialect.Reply(w, http.StatusOK, keyOf(k))
}

// updateKey reads the body twice: whole before anything waits for it, and into
// the key when that is there to be changed.
func (d *Dialect) updateKey(w http.ResponseWriter, r request) error {
	if err := d.may(r, access.UpdateKeys); err != nil {
		return err
	}
	var sent json.RawMessage
	if err := body.Read(w, r.Request, d.limits, body.Raw(&sent)); err != nil {
		return err
	}
	k, err := d.control.UpdateKey(r.Call, r.PathValue("id"), func(k *access.Key) error {
		return body.Parse(sent, d.limits, keyBody(k))
	})
	if err != nil {
		return inBody(err)
	}
	return dialect.Reply(w, http.StatusOK, keyOf(k))
}

func (d *Dialect) deleteKey(w http.ResponseWriter, r request) error {
	if err := d.may(r, access.DeleteKeys); err != nil {
		return err
	}
	if err := d.control.DeleteKey(r.Call, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// inBody is a refusal of a key with the paths of the body that it came in, as one
// of the body where it is no question of rights.
func inBody(err error) error {
	no, ok := errors.AsType[*control.Refusal](err)
	if !ok || len(no.Mistakes) == 0 {
		return err
	}
	of := *no
	of.Mistakes = make([]control.Mistake, len(no.Mistakes))
	for i, m := range no.Mistakes {
		if m.Path == "expires" {
			m.Path = "expiringDtm"
		}
		m.Path = strings.TrimSuffix("$."+m.Path, ".")
		of.Mistakes[i] = m
	}
	if of.Kind == control.Unprocessable {
		of.Kind = control.Invalid
	}
	return &of
}
