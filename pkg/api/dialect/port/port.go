package port

import (
	"cmp"
	"log/slog"
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
	Limits body.Limits
	Log    *slog.Logger     // nil: slog.Default
	Now    func() time.Time // nil: time.Now
}

// Dialect is the API, to be put behind a front with its Way.
type Dialect struct {
	http.Handler
	way     front.Way
	control *control.Service
	limits  body.Limits
	now     func() time.Time
}

const tokenPath = "/v1/auth/access_token"

// New is the API of a control plane.
func New(c *control.Service, o Options) *Dialect {
	d := &Dialect{control: c, limits: o.Limits, now: o.Now}
	if d.now == nil {
		d.now = time.Now
	}
	words := dialect.Envelope(envelope)
	d.way = front.Way{
		Origin: "port", Challenge: "Bearer", Lenient: true, Period: true, Envelope: words.Front,
		Open: func(r *http.Request) bool { return r.URL.Path == tokenPath },
	}
	d.Handler = dialect.Routes(map[string]dialect.Methods{
		tokenPath:       {http.MethodPost: d.token},
		"/v1/audit-log": {http.MethodGet: d.audit},
	}, words.Refuse(&d.way, cmp.Or(o.Log, slog.Default())))
	return d
}

// Way is how a front speaks for the dialect.
func (d *Dialect) Way() *front.Way { return &d.way }

// refusal is the body of one.
type refusal struct {
	OK      bool           `json:"ok"`
	Error   string         `json:"error"`
	Message string         `json:"message"`
	Details []body.Mistake `json:"details,omitempty"`
}

// names are Port's for what a status says already.
var names = map[int]string{
	http.StatusUnauthorized:          "unauthorized",
	http.StatusForbidden:             "forbidden",
	http.StatusNotFound:              "not_found",
	http.StatusRequestEntityTooLarge: "request_too_large",
	http.StatusUnprocessableEntity:   "invalid_request",
	http.StatusTooManyRequests:       "too_many_requests",
}

func envelope(r *http.Request, no *dialect.Refusal) (contentType string, content any) {
	if no.Word == "not-listed" && !accept.PrefersJSON(r.Header["Accept"]) {
		return "text/plain; charset=utf-8", front.Text(no.Message)
	}
	if no.Status == http.StatusBadRequest { // which Port does not use
		no.Status = http.StatusUnprocessableEntity
	}
	return "application/json", refusal{false, cmp.Or(names[no.Status], no.Word), no.Message, no.Mistakes}
}
