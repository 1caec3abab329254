package trustx

import (
	"net/http"
	"regexp"
	"time"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
)

// Options are how a Dialect is spoken.
type Options struct {
	// Tenant is the hosts it answers to, as in "{tenant}.{region}.trustx.com".
	Tenant string
	Limits body.Limits
	Now    func() time.Time // nil: time.Now
}

// Dialect is the API, to be put behind a front that speaks in its Way.
type Dialect struct {
	http.Handler
	Way     *front.Way
	control *control.Service
	pattern string
	hosts   *regexp.Regexp
	limits  body.Limits
	now     func() time.Time
}

// New is the API of a control plane.
func New(c *control.Service, o Options) *Dialect {
	d := &Dialect{control: c, pattern: o.Tenant, hosts: hosts(o.Tenant), limits: o.Limits, now: o.Now}
	if d.now == nil {
		d.now = time.Now
	}
	d.Way = &front.Way{Origin: "trustx", Challenge: "Bearer", Lenient: true, Envelope: envelope}
	d.Handler = dialect.NewHandler(d.Way, map[string]map[string]dialect.Operation{
		"/api/arthr/apiKeys/issue": {http.MethodPost: d.of(d.issue)},
		"/api/arthr/apiKeys":       {http.MethodGet: d.search(d.listKeys), http.MethodPost: d.of(d.createKey)},
		"/api/arthr/apiKeys/{id}": {
			http.MethodGet: d.of(d.getKey), http.MethodPost: d.of(d.updateKey), http.MethodPut: d.of(d.updateKey),
			http.MethodDelete: d.of(d.deleteKey),
		},
		"/api/crms/permittedips": {http.MethodGet: d.of(d.permitted), http.MethodPost: d.of(d.permit)},
	})
	return d
}

// request is a call about the tenant that its host names.
type request struct {
	*http.Request
	*control.Call
	tenant string
}

// of finds what a handler needs to know of a request.
func (d *Dialect) of(handle func(http.ResponseWriter, request) error) dialect.Operation {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, _, err := dialect.Ask(r)
		if err != nil {
			return err
		}
		return d.about(w, r, c, handle)
	}
}

// search is of for a handler that reads the query itself.
func (d *Dialect) search(handle func(http.ResponseWriter, request) error) dialect.Operation {
	return func(w http.ResponseWriter, r *http.Request) error {
		return d.about(w, r, front.CallOf(r.Context()), handle)
	}
}

func (d *Dialect) about(w http.ResponseWriter, r *http.Request, c *control.Call, handle func(http.ResponseWriter, request) error) error {
	tenant, err := d.tenant(r.Host)
	if err != nil {
		return err
	}
	return unnamed(handle(w, request{r, c, tenant}), r.Host, c.Caller, tenant)
}

// refusal is the body of one.
type refusal struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	TraceID string         `json:"traceId"`
	Errors  []body.Mistake `json:"errors,omitempty"`
}

func envelope(_ *http.Request, no *front.Refusal) (contentType string, content any) {
	return "application/json", refusal{no.Word, no.Message, no.Trace, no.Mistakes}
}
