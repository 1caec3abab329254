package port

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/postern-io/postern/pkg/accept"
	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
)

// Options are how a Dialect is spoken.
type Options struct {
	Now func() time.Time // nil: time.Now
}

// Dialect is the API, to be put behind a front that speaks in its Way.
type Dialect struct {
	http.Handler
	Way     *front.Way
	control *control.Service
	now     func() time.Time
}

const tokenPath = "/v1/auth/access_token"

// New is the API of a control plane.
func New(c *control.Service, o Options) *Dialect {
	d := &Dialect{control: c, now: o.Now}
	if d.now == nil {
		d.now = time.Now
	}
	d.Way = &front.Way{
		Origin: "port", Challenge: "Bearer", Lenient: true, Period: true, Envelope: envelope,
		Open: func(r *http.Request) bool { return r.URL.Path == tokenPath },
	}
	d.Handler = dialect.NewHandler(d.Way, map[string]map[string]dialect.Operation{
		tokenPath:       {http.MethodPost: schema(d.token)},
		"/v1/audit-log": {http.MethodGet: schema(d.audit)},
	})
	return d
}

// schema answers what does not match it as Port does: with 422.
func schema(do dialect.Operation) dialect.Operation {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := do(w, r)
		if sent, ok := errors.AsType[*body.Refusal](err); ok && sent.Status == http.StatusBadRequest {
			return &body.Refusal{Status: http.StatusUnprocessableEntity, Mistakes: sent.Mistakes}
		}
		return err
	}
}

// refusal is the body of one.
type refusal struct {
	OK      bool           `json:"ok"`
	Error   string         `json:"error"`
	Message string         `json:"message"`
	Details []body.Mistake `json:"details,omitempty"`
}

// name is Port's for what a status says already, "" where it has none.
func name(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "unauthorized"
	case http.StatusForbidden:
		return "forbidden"
	case http.StatusNotFound:
		return "not_found"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusUnprocessableEntity:
		return "invalid_request"
	case http.StatusTooManyRequests:
		return "too_many_requests"
	}
	return ""
}

func envelope(r *http.Request, no *front.Refusal) (contentType string, content any) {
	if no.Word == "not-listed" && !accept.PrefersJSON(r.Header["Accept"]) {
		return "text/plain; charset=utf-8", front.Text(no.Message)
	}
	return "application/json", refusal{false, cmp.Or(name(no.Status), no.Word), no.Message, no.Mistakes}
}
