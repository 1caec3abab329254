package northflank

import (
	"strings"
	"time"

	"github.com/postern-io/postern/pkg/policy"
)

// port is a port as it is read.
type port struct {
	ID            string    `json:"id"`
	Name          string    `json:"name"`
	Number        int       `json:"internalPort"`
	Protocol      string    `json:"protocol"`
	Public        bool      `json:"public"`
	DNS           string    `json:"dns,omitempty"`
	Domains       []domain  `json:"domains"`
	Security      *security `json:"security,omitempty"`
	DisableDomain bool      `json:"disableNfDomain"`
}

// domain is a name that leads to a port.
type domain struct {
	Name        string      `json:"name"`
	Certificate certificate `json:"certificate"`
}

type certificate struct {
	InProgress bool   `json:"inProgress"`
	Expiry     string `json:"expiryDate,omitempty"`
	Refresh    string `json:"refreshDate,omitempty"`
}

// The protocols of ports.
const (
	overHTTP  = "HTTP"
	overHTTP2 = "HTTP/2"
	overTCP   = "TCP"
	overUDP   = "UDP"
)

// described is an endpoint as a port: as it was described, else by what it is.
func described(ep *policy.Endpoint) (number int, p policy.Port) {
	if len(ep.Ports) > 0 {
		number = int(ep.Ports[0].First)
	}
	switch {
	case ep.Port != nil:
		return number, *ep.Port
	case ep.HTTP != nil:
		return number, policy.Port{Name: ep.Name, Protocol: overHTTP, Public: true}
	case ep.Protocol == policy.UDP:
		return number, policy.Port{Name: ep.Name, Protocol: overUDP}
	}
	return number, policy.Port{Name: ep.Name, Protocol: overTCP}
}

// port is an endpoint as it is read.
func (q *request) port(ep *policy.Endpoint, now time.Time) (port, policy.Hidden) {
	number, as := described(ep)
	p := port{
		ID: ep.Name, Name: as.Name, Number: number, Protocol: as.Protocol, Public: as.Public,
		DNS: q.dns(as), Domains: []domain{}, DisableDomain: as.DisableDomain,
	}
	for _, name := range as.Domains {
		p.Domains = append(p.Domains, domain{name, q.certificate(name)})
	}
	entries, hidden := ep.Policies.Shown(true, now)
	p.Security = asked(ep, entries)
	return p, hidden
}

// dns is a port's public name; "" for one that has none.
func (q *request) dns(p policy.Port) string {
	if !p.Public || p.DisableDomain {
		return ""
	}
	return strings.ToLower(strings.NewReplacer(
		"{name}", p.Name, "{service}", q.service, "{project}", q.project).Replace(q.options.DNS))
}

// refreshed is how long before its end a certificate is renewed.
const refreshed = 30 * 24 * time.Hour

func (q *request) certificate(host string) certificate {
	if q.options.Certificates == nil {
		return certificate{InProgress: true}
	}
	_, until, ok := q.options.Certificates.Of(host)
	if !ok {
		return certificate{InProgress: true}
	}
	return certificate{Expiry: stamp(until), Refresh: stamp(until.Add(-refreshed))}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
