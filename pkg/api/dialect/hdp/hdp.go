package hdp

import (
	"net/http"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
)

// Options say how much a request may bring.
type Options struct {
	Limits body.Limits
}

// Dialect is the API. A front with its Way stands before it.
type Dialect struct {
	http.Handler
	Way *front.Way

	control *control.Service
	limits  body.Limits
}

// New is the API over a control plane.
func New(s *control.Service, o Options) *Dialect {
	d := &Dialect{control: s, limits: o.Limits}
	d.Way = &front.Way{Origin: "hdp", Challenge: `Basic realm="Postern", charset="UTF-8"`, Lenient: true, Envelope: envelope}
	d.Handler = dialect.NewHandler(d.Way, map[string]map[string]dialect.Operation{
		"/api/admin/security/whitelist/system":       d.lists(system),
		"/api/admin/security/whitelist/tenants":      {http.MethodGet: worded(d.tenants)},
		"/api/admin/security/whitelist/tenants/{id}": d.lists(tenant),
		"/api/admin/security/whitelist/users":        {http.MethodGet: worded(d.users)},
		"/api/mgmt/security/whitelist/user":          d.lists(d.userNamed, "user"),
		"/api/mgmt/security/whitelist/user/{id}":     d.lists(d.userWithID),
		"/api/admin/configurations/8":                {http.MethodGet: worded(d.readSwitch), http.MethodPut: worded(d.turnSwitch)},
	})
	return d
}

// lists are the operations on the lists that a request is about; own are the
// parameters that say which.
func (d *Dialect) lists(of locate, own ...string) map[string]dialect.Operation {
	on := func(do func(*request) error) dialect.Operation {
		return worded(func(w http.ResponseWriter, r *http.Request) error {
			c, query, err := dialect.Ask(r, own...)
			if err != nil {
				return err
			}
			q := &request{Dialect: d, w: w, r: r, call: c, query: query}
			if q.at, err = of(q); err != nil {
				return err
			}
			return do(q)
		})
	}
	write := on((*request).write)
	return map[string]dialect.Operation{
		http.MethodGet: on((*request).read), http.MethodPost: write, http.MethodPut: write, http.MethodDelete: on((*request).clear),
	}
}
