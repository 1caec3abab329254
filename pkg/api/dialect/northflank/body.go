package northflank

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/policy"
)

// wanted is a port as it is written.
type wanted struct {
	id       string // "": a new one
	number   int
	port     policy.Port
	secured  body.Said // Absent: its security stays
	security wantedSecurity
}

var (
	idText   = regexp.MustCompile(`^[a-z]-?[a-z0-9]+(-[a-z0-9]+)*$`)
	nameText = regexp.MustCompile(`^[a-zA-Z](-?[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*)?$`)
	hostText = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

const (
	maxName = 8 // characters of a port's name
	maxHost = 253
)

// body reads the ports that are wanted. What a port is read as may be written in
// any case: files name their endpoints as they like.
func (q *request) body(s *policy.State) ([]wanted, error) {
	var ports []wanted
	shape := body.Object(body.Fields{
		"ports": body.Check(body.Each(&ports, func(into *wanted) body.Shape { return q.wanted(s, into) }), func() error { return unlike(ports) }),
	}, "ports")
	return ports, body.Read(q.w, q.r, q.options.Limits, shape)
}

func (q *request) wanted(s *policy.State, into *wanted) body.Shape {
	var unread json.RawMessage
	var domains []domainName
	fields := body.Fields{
		"id":              body.Check(body.Text(&into.id), func() error { return q.wrongID(s, into.id) }),
		"name":            body.Check(body.Text(&into.port.Name), func() error { return q.wrongName(s, into.port.Name) }),
		"internalPort":    body.Int(&into.number, 1, 65535),
		"protocol":        body.Choose(&into.port.Protocol, map[string]string{overHTTP: overHTTP, overHTTP2: overHTTP2, overTCP: overTCP, overUDP: overUDP}),
		"public":          body.Flag(&into.port.Public),
		"vpcAccessible":   never("there is no private load balancer here"),
		"dns":             body.Raw(&unread),
		"domains":         body.Each(&domains, func(into *domainName) body.Shape { return into.shape() }),
		"security":        body.Check(body.Noted(&into.secured, into.security.shape()), func() error { return unclear(into.secured) }),
		"disableNfDomain": body.Flag(&into.port.DisableDomain),
	}
	return body.Check(body.Object(fields, "name", "internalPort", "protocol"), func() error {
		for _, d := range domains {
			into.port.Domains = append(into.port.Domains, string(d))
		}
		return into.wrong(s)
	})
}

// wrongID refuses what is no id, unless it is one's.
func (q *request) wrongID(s *policy.State, id string) error {
	switch ep := s.Endpoint(id); {
	case ep != nil && !q.has(ep):
		return &body.Mistake{What: fmt.Sprintf("%s is no port of this service", id), Remedy: "leave it out, or write another"}
	case ep == nil && (!idText.MatchString(id) || !policy.ValidID(id)):
		return &body.Mistake{What: fmt.Sprintf("%q is no id", id), Remedy: "an id is like " + idText.String() + ", and at most 64 characters"}
	}
	return nil
}

// wrongName refuses what is no port's name, unless one is read so.
func (q *request) wrongName(s *policy.State, name string) error {
	if len(name) <= maxName && nameText.MatchString(name) {
		return nil
	}
	for _, ep := range s.Endpoints {
		if _, p := described(ep); q.has(ep) && p.Name == name {
			return nil
		}
	}
	return &body.Mistake{What: fmt.Sprintf("%q is no port's name", name), Remedy: fmt.Sprintf("a name is like %s, and at most %d characters", nameText, maxName)}
}

// wrong is what does not go together in a port.
func (p *wanted) wrong(s *policy.State) error {
	if web := p.port.Protocol == overHTTP || p.port.Protocol == overHTTP2; p.port.Public && !web {
		return &body.Mistake{What: p.port.Protocol + " is not for public ports", Remedy: "write HTTP or HTTP/2, or public: false"}
	}
	is := policy.Security{}
	if ep := s.Endpoint(p.id); ep != nil && ep.Security != nil {
		is = *ep.Security
	}
	var have []string
	for _, c := range is.Credentials {
		have = append(have, c.Username)
	}
	for _, c := range p.security.credentials {
		if c.password == "" && !slices.Contains(have, c.username) {
			return &body.Mistake{What: fmt.Sprintf("%s has no password that could be kept", c.username), Remedy: "write one"}
		}
	}
	if i := policy.KeepValues(slices.Clone(p.security.headers), is.Headers); i >= 0 {
		return &body.Mistake{What: fmt.Sprintf("header %s has no value that could be kept", p.security.headers[i].Name), Remedy: "write one"}
	}
	return nil
}

// unlike refuses two ports with one id or name, and more passwords than may be
// hashed at once.
func unlike(ports []wanted) error {
	ids, names := map[string]bool{}, map[string]bool{}
	passwords := 0
	for _, p := range ports {
		switch {
		case p.id != "" && ids[p.id]:
			return &body.Mistake{What: fmt.Sprintf("two ports have the id %s", p.id), Remedy: "keep one of them"}
		case names[p.port.Name]:
			return &body.Mistake{What: fmt.Sprintf("two ports have the name %s", p.port.Name), Remedy: "give one of them another"}
		}
		ids[p.id], names[p.port.Name] = true, true
		passwords += len(p.security.credentials)
	}
	if passwords > maxPasswords {
		return &body.Mistake{What: fmt.Sprintf("%d credentials, and at most %d are taken at once", passwords, maxPasswords), Remedy: "send fewer"}
	}
	return nil
}

// unclear refuses null, which may mean that the security stays or that there is
// none.
func unclear(secured body.Said) error {
	if secured == body.Null {
		return &body.Mistake{What: "null says neither that it stays nor that it goes", Remedy: "leave it out, or write {}"}
	}
	return nil
}

// never is a flag that may be false.
func never(why string) body.Shape {
	var flag bool
	return body.Check(body.Flag(&flag), func() error {
		if flag {
			return &body.Mistake{What: why, Remedy: "write false, or leave it out"}
		}
		return nil
	})
}

// domainName is a domain as text, or as it is read.
type domainName string

func (d *domainName) shape() body.Shape {
	var raw json.RawMessage
	return body.Check(body.Raw(&raw), func() error {
		var whole map[string]json.RawMessage
		if json.Unmarshal(raw, &whole) == nil {
			delete(whole, "certificate")
			raw = whole["name"]
			delete(whole, "name")
		}
		if len(whole) > 0 {
			return &body.Mistake{What: fmt.Sprintf("%q is no key of a domain", slices.Sorted(maps.Keys(whole))[0]), Remedy: "write its name alone"}
		}
		var name string
		if json.Unmarshal(raw, &name) != nil || len(name) > maxHost || !hostText.MatchString(name) {
			return &body.Mistake{What: "it is no domain", Remedy: "write it like app.example.com"}
		}
		*d = domainName(name)
		return nil
	})
}
