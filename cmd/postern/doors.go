package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/agent"
	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect/hdp"
	"github.com/postern-io/postern/pkg/api/dialect/northflank"
	"github.com/postern-io/postern/pkg/api/dialect/port"
	"github.com/postern-io/postern/pkg/api/dialect/trustx"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/api/serve"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/certificate"
	"github.com/postern-io/postern/pkg/config"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/gate/clientip"
	"github.com/postern-io/postern/pkg/policy"
)

// doors are the APIs of a control plane, each behind the front of its own.
type doors struct {
	*daemon
	api     config.API
	control *control.Service
	front   front.Config
	limits  body.Limits
	tls     *tls.Config

	notOpen policy.Problems // doors that could not be opened
}

func (d *daemon) doors(s agent.Settings) (*doors, error) {
	service, keys, err := d.service(s.API)
	if err != nil {
		return nil, err
	}
	return &doors{
		daemon: d, api: s.API, control: service,
		front: front.Config{
			Service: service, Keys: keys, Client: callers(s.API.Client), Log: d.log,
			Rate: access.NewRate(s.API.Rate.Requests, s.API.Rate.Per, time.Now),
		},
		limits: body.Limits{Bytes: s.API.MaxBody, Items: s.API.MaxEntries},
	}, nil
}

// open opens every listener. One that cannot be had is logged and done without: a
// port that is taken must not leave the host unguarded.
func (d *doors) open(ctx context.Context, g *errgroup.Group) {
	if d.api.TLS != (config.TLS{}) {
		d.tls = d.certificate()
	}
	for _, address := range d.api.Listen {
		d.serve(ctx, g, address, d.native())
	}
	for _, of := range d.api.Dialects {
		h, err := d.dialect(of)
		if err != nil {
			d.shut("no dialect", err)
			continue
		}
		d.serve(ctx, g, of.Listen, h)
	}
	d.closed.Store(&d.notOpen)
}

// shut tells, in log and status, of a door that cannot be opened.
func (d *doors) shut(what string, err error) {
	d.log.Error(what, "err", err)
	d.notOpen = append(d.notOpen, policy.Problem{
		Pos: policy.Pos{File: d.agent.Status().Config}, What: what + ": " + err.Error(), Remedy: "mend it and restart the agent",
	})
}

// certificate is nil where it cannot be read: the listeners that need it say so.
func (d *doors) certificate() *tls.Config {
	pair, err := certificate.Open(d.api.TLS.Cert, d.api.TLS.Key, func(found policy.Problems) {
		for _, p := range found {
			d.log.Warn("certificate", "problem", p.String())
		}
	})
	if err != nil {
		d.shut("no certificate", err)
		return nil
	}
	return pair.TLS()
}

func (d *doors) serve(ctx context.Context, g *errgroup.Group, address string, h http.Handler) {
	l, err := serve.Listen(address, serve.Config{Group: d.api.Group, TLS: d.tls, Connections: d.api.MaxConnections})
	if err != nil {
		d.shut("no API", err)
		return
	}
	g.Go(func() error { return serve.Serve(ctx, l, h) })
}

// native is /api/v1.
func (d *doors) native() http.Handler {
	return front.New(d.front, api.Way(), api.New(api.Config{
		Control: d.control, Runtime: d.daemon, Events: d.events, Limits: d.limits,
		Published: published(d.api.Published), Version: thisBuild().Version, Log: d.log,
	}))
}

// dialect is the API of another system.
func (d *doors) dialect(of config.Dialect) (http.Handler, error) {
	var h http.Handler
	var way *front.Way
	switch of.Name {
	case "trustx":
		x := trustx.New(d.control, trustx.Options{Tenant: of.Tenant, Limits: d.limits})
		h, way = x, x.Way
	case "hdp":
		x := hdp.New(d.control, hdp.Options{Limits: d.limits})
		h, way = x, x.Way
	case "northflank":
		x := northflank.New(d.control, d.northflank(of))
		h, way = x, x.Way
	case "port":
		x := port.New(d.control, port.Options{})
		h, way = x, x.Way
	default:
		return nil, fmt.Errorf("dialect %q: there is none", of.Name)
	}
	return front.New(d.front, way, h), nil
}

// northflank knows domains by their certificates, where there are any.
func (d *doors) northflank(of config.Dialect) northflank.Options {
	o := northflank.Options{Limits: d.limits, DNS: of.DNS}
	if of.Certificates != nil {
		o.Certificates = certificate.NewDates(of.Certificates)
	}
	return o
}

// callers says whom a request to the API speaks for.
func callers(c policy.Client) func(peer netip.Addr, header http.Header) front.Client {
	cfg := clientip.Config{Proxies: c.Proxies, Hops: c.Hops}
	if c.Source == policy.XForwardedFor {
		cfg.Source = clientip.XForwardedFor
	}
	resolver := clientip.New(cfg)
	return func(peer netip.Addr, header http.Header) front.Client {
		found := resolver.Resolve(peer, header)
		return front.Client{
			Addr: found.Addr, Vouched: found.Vouched,
			TruePeer: found.Found == clientip.AsPeer && !found.Vouched && !clientip.Forwarded(header),
		}
	}
}

// published are the addresses that customers must open to.
func published(all []config.Published) []v1.Published {
	told := make([]v1.Published, len(all))
	for i, p := range all {
		told[i] = v1.Published{
			Name: p.Name, Purpose: p.Purpose, Addresses: p.Addresses, Hosts: p.Hosts,
			Privatelink: p.PrivateLink, Region: p.Region,
		}
		for _, ports := range p.Ports {
			told[i].Ports = append(told[i].Ports, ports.String())
		}
	}
	return told
}
