package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postern-io/postern/pkg/agent"
	"github.com/postern-io/postern/pkg/api"
	"github.com/postern-io/postern/pkg/datapath"
	"github.com/postern-io/postern/pkg/gate"
	"github.com/postern-io/postern/pkg/metrics"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/store"
)

// daemon is a running agent's parts, and what passes between them: decisions and
// dropped packets on their way to events and metrics, the state of all on its way
// to the API.
type daemon struct {
	started     time.Time
	log         *slog.Logger
	agent       *agent.Agent
	kernel      *datapath.Datapath
	gate        *gate.Gate
	proxies     *gate.Server
	events      *api.Feed
	plane       *plane          // nil: it could not be opened
	kept        *store.Snapshot // that mirrors the plane's store
	sources     sources
	connections connections
	metrics     *metrics.Metrics
	closed      atomic.Pointer[policy.Problems] // doors that could not be opened
	warned      string                          // of what locks the operator out; only Set touches it
}

func newDaemon(kernel *datapath.Datapath, log *slog.Logger) *daemon {
	d := &daemon{started: time.Now(), log: log, kernel: kernel, events: new(api.Feed), sources: newSources()}
	d.metrics = metrics.New(d.snapshot)
	d.gate = gate.New(gate.Config{Observe: d.request})
	d.proxies = gate.NewServer(d.gate, log)
	return d
}

// Set puts a table in force on requests, then opens what it asks for: a listener
// never judges by the table before.
func (d *daemon) Set(t *policy.Table) error {
	d.gate.Set(t)
	if t == nil {
		return nil
	}
	d.warn(t.State.LockOut())
	return d.proxies.Apply(t)
}

// warn says once what could lock the operator out. It stays at a warning: to
// weaken what somebody wrote would leave open what they meant to guard.
func (d *daemon) warn(of policy.Problems) {
	if of.Error() == d.warned {
		return
	}
	d.warned = of.Error()
	for _, p := range of {
		d.log.Warn("lock-out", "problem", p.String())
	}
}

// request is told of every decision of the gate.
func (d *daemon) request(made gate.Decision) {
	d.metrics.Request(made.Endpoint, made.Tenant, requestVerdict(made))
	d.sources.asked(made)
	if !made.Verdict.Allow {
		d.events.Publish(requestEvent(made, time.Now()))
	}
}

// packet is told of the packets that the kernel refused.
func (d *daemon) packet(e datapath.Event) {
	d.events.Publish(packetEvent(e, d.interfaceName))
	d.sources.dropped(e)
}

func (d *daemon) interfaceName(index int) string {
	for _, i := range d.kernel.Interfaces() {
		if i.Index == index {
			return i.Name
		}
	}
	return ""
}

// listen opens the API, its dialects and the metrics. One that cannot be had is
// logged and done without: a port that is taken must not leave the host unguarded.
func (d *daemon) listen(ctx context.Context, g *errgroup.Group) error {
	settings := d.agent.Settings()
	doors, err := d.doors(settings)
	if err != nil {
		return err
	}
	doors.open(ctx, g)
	if settings.MetricsListen == "" {
		return nil
	}
	l, err := net.Listen("tcp", settings.MetricsListen)
	if err != nil {
		d.log.Error("no metrics", "err", err)
		return nil
	}
	g.Go(func() error { return d.serveMetrics(ctx, l) })
	return nil
}

func (d *daemon) serveMetrics(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", d.metrics.Handler())
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	defer context.AfterFunc(ctx, func() { server.Close() })() // a scrape can be done without
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// shutdown lets the requests under way end.
func (d *daemon) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	d.proxies.Shutdown(ctx)
}
