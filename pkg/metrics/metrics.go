package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the agent's. Request may be called from many goroutines.
type Metrics struct {
	snapshot func() Snapshot
	requests *tallies
	tenants  *busiest
	registry *prometheus.Registry
}

// New returns metrics that ask snapshot at every scrape.
func New(snapshot func() Snapshot) *Metrics {
	m := &Metrics{
		snapshot: snapshot,
		requests: newTallies(),
		tenants:  newBusiest(),
		registry: prometheus.NewRegistry(),
	}
	m.registry.MustRegister(
		newCollector(m.reading),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Request counts a request that was judged; a tenant of "" is none the policy
// knows, and counts among the others.
func (m *Metrics) Request(endpoint, tenant string, v Verdict) {
	m.requests.add(endpoint, v)
	if tenant == "" {
		tenant = others
	}
	m.tenants.counts.add(tenant, v)
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *Metrics) reading() *reading {
	r := &reading{Snapshot: m.snapshot(), requests: map[key]uint64{}, tenants: m.tenants.read(time.Now())}
	for endpoint, counts := range m.requests.read() {
		for v, n := range counts {
			r.requests[key{endpoint, Verdict(v)}] = n
		}
	}
	return r
}

// collector reads the table's metrics when it is scraped.
type collector struct {
	table []metric
	descs []*prometheus.Desc
	read  func() *reading
}

func newCollector(read func() *reading) *collector {
	c := &collector{table: table(), read: read}
	for _, m := range c.table {
		c.descs = append(c.descs, prometheus.NewDesc(m.name, m.help, m.labels, nil))
	}
	return c
}

func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	r := c.read()
	for i, m := range c.table {
		m.read(r, func(value float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(c.descs[i], m.kind, value, labels...)
		})
	}
}
