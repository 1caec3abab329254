package northflank

import (
	"cmp"
	"net/http"
	"time"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// Certificates knows from when until when hosts' certificates hold.
type Certificates interface {
	Of(host string) (notBefore, notAfter time.Time, ok bool)
}

// Options are what a request may bring, and what answers tell of ports beside what
// endpoints say.
type Options struct {
	Limits       body.Limits
	DNS          string       // a port's public name, of {name}, {service} and {project}; "": none
	Certificates Certificates // a domain without one is not known; nil: all are
}

// Dialect is the API. A front with its Way stands before it.
type Dialect struct {
	http.Handler
	Way *front.Way

	control *control.Service
	options Options
	hashing chan struct{} // holds who hashes passwords: one request at a time
}

// New is the API over a control plane.
func New(s *control.Service, o Options) *Dialect {
	d := &Dialect{control: s, options: o, hashing: make(chan struct{}, 1)}
	d.Way = &front.Way{Origin: "northflank", Challenge: `Bearer realm="Postern"`, Lenient: true, Envelope: envelope}
	ports := map[string]dialect.Operation{http.MethodGet: d.of((*request).read), http.MethodPost: d.of((*request).write)}
	d.Handler = dialect.NewHandler(d.Way, map[string]map[string]dialect.Operation{
		"/v1/projects/{project}/services/{service}/ports":              ports,
		"/v1/teams/{team}/projects/{project}/services/{service}/ports": ports,
	})
	return d
}

// request is one about a service's ports.
type request struct {
	*Dialect
	w                http.ResponseWriter
	r                *http.Request
	call             *control.Call
	project, service string
}

func (d *Dialect) of(do func(*request) error) dialect.Operation {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, _, err := dialect.Ask(r)
		if err != nil {
			return err
		}
		q := &request{d, w, r, c, r.PathValue("project"), r.PathValue("service")}
		if !policy.ValidID(q.project) || !policy.ValidID(q.service) {
			return &control.Refusal{Kind: control.NotFound, What: "there is no such service", Remedy: "ids have letters, digits and . _ -"}
		}
		return do(q)
	}
}

// has reports whether an endpoint is a port of the request's service.
func (q *request) has(ep *policy.Endpoint) bool {
	const unsaid = "default"
	return ep.Protocol != policy.AnyProtocol &&
		cmp.Or(ep.Project, unsaid) == q.project && cmp.Or(ep.Service, unsaid) == q.service
}

// failure is how refusals are told.
type failure struct {
	Error struct {
		Status  int    `json:"status"`
		ID      string `json:"id"`
		Message string `json:"message"`
	} `json:"error"`
}

func envelope(_ *http.Request, no *front.Refusal) (contentType string, content any) {
	var f failure
	f.Error.Status, f.Error.ID, f.Error.Message = no.Status, no.Word, no.Message
	return "application/json", f
}
