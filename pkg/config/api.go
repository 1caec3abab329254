package config

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// API is what postern.yaml says of the API, its dialects and what it keeps. The
// agent keeps it with every revision, to start without the file.
type API struct {
	Listen         []string           `json:"listen"`          // as addr.ParseListener reads them
	Group          string             `json:"group,omitempty"` // who may read the socket beside its owner; "": nobody
	TLS            TLS                `json:"tls,omitzero"`
	Dialects       []Dialect          `json:"dialects,omitempty"`
	Client         policy.Client      `json:"client,omitzero"` // Peer or XForwardedFor
	MaxBody        int64              `json:"maxBody"`         // bytes
	MaxEntries     int                `json:"maxEntries"`      // of one list
	MaxConnections int                `json:"maxConnections"`  // of one listener
	Rate           Rate               `json:"rate"`            // of one key
	GuardPorts     []policy.PortRange `json:"guardPorts,omitempty"`
	Audit          Audit              `json:"audit"`
	Revisions      int                `json:"revisions"` // of history that are kept
	Published      []Published        `json:"published,omitempty"`
}

// TLS are the files of the https listeners' certificate.
type TLS struct {
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

// Rate is so many requests in so long a time.
type Rate struct {
	Requests int           `json:"requests"`
	Per      time.Duration `json:"per"`
}

// Audit is where the journal goes.
type Audit struct {
	Dir      string `json:"dir,omitempty"` // "": audit in the store's
	FileSize int64  `json:"fileSize"`      // bytes at which another file begins
	Keep     int    `json:"keep"`          // full files
	Syslog   bool   `json:"syslog,omitempty"`
}

// Published is a service that customers have to let their own firewalls through
// to.
type Published struct {
	Name        string             `json:"name"`
	Purpose     string             `json:"purpose,omitempty"`
	Addresses   []string           `json:"addresses,omitempty"` // as typed
	Hosts       []string           `json:"hosts,omitempty"`
	Ports       []policy.PortRange `json:"ports,omitempty"`
	PrivateLink string             `json:"privateLink,omitempty"` // the service's name there
	Region      string             `json:"region,omitempty"`      // of PrivateLink
}

func defaultAPI() API {
	return API{
		Listen:         []string{"unix:///run/postern/api.sock"},
		MaxBody:        1 << 20,
		MaxEntries:     10_000,
		MaxConnections: 1024,
		Rate:           Rate{1000, time.Hour},
		GuardPorts:     []policy.PortRange{{First: 22, Last: 22}},
		Audit:          Audit{FileSize: 64 << 20, Keep: 10},
		Revisions:      10_000,
	}
}

func (r *reader) api(a *API) read {
	return func(what string, n *yaml.Node) {
		var all listeners
		known := true // who the client is
		r.mapping(what, n, fields{
			"listen":   r.listens(&a.Listen, &all),
			"group":    r.text(&a.Group),
			"tls":      r.tls(&a.TLS),
			"dialects": r.each(func(n *yaml.Node) { a.Dialects = append(a.Dialects, r.dialect(n, &all)) }),
			"client": func(what string, n *yaml.Node) {
				before := len(r.found)
				choose(r, &a.Client.Source, policy.Peer, policy.XForwardedFor)(what, n)
				known = len(r.found) == before
			},
			"proxies":         r.prefixes(&a.Client.Proxies),
			"trusted_hops":    r.number(&a.Client.Hops),
			"max_body":        r.size(&a.MaxBody),
			"max_entries":     r.number(&a.MaxEntries),
			"max_connections": r.number(&a.MaxConnections),
			"rate":            r.section(fields{"requests": r.number(&a.Rate.Requests), "per": r.span(&a.Rate.Per)}),
			"guard":           r.section(fields{"ports": r.guardPorts(&a.GuardPorts)}),
			"audit": r.section(fields{
				"dir":    r.fileName(&a.Audit.Dir),
				"rotate": r.size(&a.Audit.FileSize),
				"keep":   r.number(&a.Audit.Keep),
				"syslog": r.either(&a.Audit.Syslog, "true", "false"),
			}),
			"history":   r.section(fields{"revisions": r.number(&a.Revisions)}),
			"published": r.each(func(n *yaml.Node) { a.Published = append(a.Published, r.published(n)) }),
		})
		if known {
			r.apiClient(n, a.Client)
		}
		if a.TLS == (TLS{}) {
			r.needTLS(all)
		}
	}
}

// apiClient is held to what an endpoint's client is.
func (r *reader) apiClient(n *yaml.Node, c policy.Client) {
	switch {
	case c.Source == policy.Peer && len(c.Proxies) > 0:
		r.faultf(n, "write client: xff", "api: proxies speak for nobody where the client is the peer")
	case c.Source != policy.Peer && len(c.Proxies) == 0:
		r.faultf(n, "name them", "api: client %s without proxies would believe everybody", c.Source)
	case slices.ContainsFunc(c.Proxies, func(p netip.Prefix) bool { return p.Bits() == 0 }):
		r.faultf(n, "name the proxies' own addresses", "api: proxies of every address would believe everybody")
	}
}

func (r *reader) tls(into *TLS) read {
	return func(what string, n *yaml.Node) {
		before := len(r.found)
		r.mapping(what, n, fields{"cert": r.fileName(&into.Cert), "key": r.fileName(&into.Key)})
		if (into.Cert == "" || into.Key == "") && len(r.found) == before {
			r.faultf(n, "write tls: {cert: FILE, key: FILE}", "tls without cert or key")
		}
	}
}

// guardPorts are those written, and none where none are.
func (r *reader) guardPorts(into *[]policy.PortRange) read {
	return func(what string, n *yaml.Node) {
		*into = nil
		r.ports(into)(what, n)
	}
}

func (r *reader) published(n *yaml.Node) Published {
	var p Published
	before := len(r.found)
	r.mapping("published", n, fields{
		"name":        r.text(&p.Name),
		"purpose":     r.text(&p.Purpose),
		"addresses":   r.each(func(n *yaml.Node) { r.typed(&p.Addresses)("an address", n) }),
		"hosts":       r.hosts(&p.Hosts),
		"ports":       r.ports(&p.Ports),
		"privatelink": r.text(&p.PrivateLink),
		"region":      r.text(&p.Region),
	})
	switch {
	case len(r.found) > before:
	case p.Name == "":
		r.faultf(n, "write name: what customers know it by", "published without a name")
	case len(p.Addresses)+len(p.Hosts) == 0 && p.PrivateLink == "":
		r.faultf(n, "write addresses, hosts or privatelink", "published %s: there is nothing to open", p.Name)
	}
	return p
}

// typed is an address as it was written.
func (r *reader) typed(into *[]string) read {
	return r.address(func(n *yaml.Node, _ addr.Range) { *into = append(*into, strings.TrimSpace(n.Value)) })
}
