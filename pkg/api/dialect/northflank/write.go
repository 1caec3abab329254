package northflank

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/api/dialect"
	"github.com/postern-io/postern/pkg/api/front"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// write makes the service's ports those of the body.
func (q *request) write() error {
	if err := q.permitted(); err != nil {
		return err
	}
	t := q.control.Table()
	if t == nil {
		return &control.Refusal{Kind: control.NotKept, What: "no policy is in force yet"}
	}
	ports, err := q.body(t.State)
	if err != nil {
		return err
	}
	if err := q.known(ports); err != nil {
		return err
	}
	if err := q.hash(q.r.Context(), ports); err != nil {
		return err
	}
	result, err := q.control.Write(q.r.Context(), q.call, q.changes(t.State, ports)...)
	if err != nil {
		return err
	}
	dialect.Warn(q.w.Header(), result)
	return dialect.Reply(q.w, http.StatusOK, struct {
		Data struct{} `json:"data"`
	}{})
}

// permitted refuses who may write no endpoint, before it is looked at what there
// is. What exactly the changes take is asked again when they are made.
func (q *request) permitted() error {
	some := access.Target{Scope: policy.ScopeEndpoint}
	if q.call.Caller.May(access.WriteEndpoints, some) {
		return nil
	}
	return q.control.Permit(q.call, access.WriteSecurity, some)
}

// known refuses a domain that no certificate names.
func (q *request) known(ports []wanted) error {
	if q.options.Certificates == nil {
		return nil
	}
	for _, p := range ports {
		for _, name := range p.port.Domains {
			if _, _, ok := q.options.Certificates.Of(name); !ok {
				return &front.Refusal{
					Status: http.StatusNotFound, Word: "not-found", Message: fmt.Sprintf("domain %s is not known; no certificate names it", name),
				}
			}
		}
	}
	return nil
}

// hash hashes the passwords, which takes its time: for one request at once, and no
// longer than somebody waits for it.
func (q *request) hash(ctx context.Context, ports []wanted) error {
	select {
	case q.hashing <- struct{}{}:
		defer func() { <-q.hashing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, p := range ports {
		for i := range p.security.credentials {
			if c := &p.security.credentials[i]; c.password != "" && ctx.Err() == nil {
				c.hash = access.HashPassword(c.password)
			}
		}
	}
	return ctx.Err()
}

// changes are what makes the service's ports of a state those wanted. What a file
// owns is among them where it is to be another: it is refused there, in the words
// that every such change is refused in.
func (q *request) changes(s *policy.State, ports []wanted) []control.Change {
	var changes []control.Change
	kept := map[string]bool{}
	for _, p := range ports {
		was := s.Endpoint(p.id)
		next := q.endpoint(was, p)
		switch {
		case was == nil:
			next.Name = q.newID(s, p.id, kept)
			changes = append(changes, control.PutEndpoint(next).IfNone())
		case next != was:
			changes = append(changes, control.PutEndpoint(next).If(was.Tag()))
		}
		kept[next.Name] = true
		if p.secured == body.Given {
			changes = append(changes, control.Secure(next.Name, p.security.put))
		}
	}
	for _, ep := range s.Endpoints {
		if q.has(ep) && !kept[ep.Name] {
			changes = append(changes, control.DeleteEndpoint(ep.Name).If(ep.Tag()))
		}
	}
	return changes
}

// endpoint is what a port makes of an endpoint; was itself, where that is the same.
func (q *request) endpoint(was *policy.Endpoint, p wanted) *policy.Endpoint {
	next := &policy.Endpoint{Resource: policy.AnyResource, Project: q.project, Service: q.service}
	if was != nil {
		number, is := described(was)
		if number == p.number && is.Name == p.port.Name && is.Protocol == p.port.Protocol && is.Public == p.port.Public &&
			is.DisableDomain == p.port.DisableDomain && slices.Equal(is.Domains, p.port.Domains) {
			return was
		}
		*next = *was
		if number == p.number {
			p.number = 0
		}
	}
	if p.number != 0 {
		next.Ports = []policy.PortRange{{First: uint16(p.number), Last: uint16(p.number)}}
	}
	next.Protocol = policy.TCP
	if p.port.Protocol == overUDP {
		next.Protocol = policy.UDP
	}
	next.Port = &p.port
	return next
}

// newID is a new endpoint's: the one that was asked for, else one that nobody has.
func (q *request) newID(s *policy.State, asked string, taken map[string]bool) string {
	for asked == "" || taken[asked] || s.Endpoint(asked) != nil {
		letters := make([]byte, 6)
		_, _ = rand.Read(letters) // it never fails
		for i, b := range letters {
			letters[i] = 'a' + b%26
		}
		asked = string(letters)
	}
	return asked
}

// put gives an endpoint the security that is wanted, and what it hides of its list
// as it was.
func (s *wantedSecurity) put(ep *policy.Endpoint, m control.Moment) error {
	is := policy.Security{}
	if ep.Security != nil {
		is = *ep.Security
	}
	held := map[string]string{}
	for _, c := range is.Credentials {
		held[c.Username] = c.Hash
	}
	next := &policy.Security{Headers: slices.Clone(s.headers)}
	if i := policy.KeepValues(next.Headers, is.Headers); i >= 0 {
		return &control.Refusal{Kind: control.Changed, What: fmt.Sprintf("the value of header %s is gone", next.Headers[i].Name), Remedy: "write another"}
	}
	for _, c := range s.credentials {
		hash := c.hash
		if c.password == "" {
			hash = held[c.username]
		}
		if hash == "" {
			return &control.Refusal{Kind: control.Changed, What: fmt.Sprintf("the password of %s is gone", c.username), Remedy: "write another"}
		}
		next.Credentials = append(next.Credentials, policy.Credential{Username: c.username, Hash: hash})
	}
	if s.hasSSO == body.Given {
		next.SSO = &s.sso
	}
	if ep.Security = next; len(next.Credentials)+len(next.Headers) == 0 && next.SSO == nil {
		ep.Security = nil
	}
	ep.Verify = s.verify
	ep.Policies = policy.ReplaceShownPrefixes(ep.Policies, s.list(), m.Now, m.Stamp)
	if len(ep.Policies.Entries) == 0 {
		ep.Policies = nil
	}
	return nil
}
