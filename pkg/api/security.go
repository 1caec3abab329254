package api

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/access"
	"github.com/postern-io/postern/pkg/api/body"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/control"
	"github.com/postern-io/postern/pkg/policy"
)

// maxCredentials of one endpoint: each costs a hash when it is written, and when it
// is tried.
const maxCredentials = 100

// maxValue is the length of a header's value, which may be an expression.
const maxValue = 4096

// security is what an endpoint is to ask, as it is written. Its credentials have
// passwords where hashes will be; "" keeps the hash there is, and a header's value.
type security struct {
	policies []rule
	policy.Security
	verify policy.Verify
}

// rule are addresses, and what to do with them.
type rule struct {
	action    policy.Action
	addresses []policy.Entry
}

func (s *security) shape() body.Shape {
	return body.Object(body.Fields{
		"policies": body.Each(&s.policies, (*rule).shape),
		"credentials": body.Check(body.Each(&s.Credentials, credential), func() error {
			if len(s.Credentials) > maxCredentials {
				return &body.Mistake{What: fmt.Sprintf("there are %d", len(s.Credentials)), Remedy: fmt.Sprintf("use at most %d", maxCredentials)}
			}
			return nil
		}),
		"headers":          body.Each(&s.Headers, headerRule),
		"sso":              sso(&s.SSO),
		"verificationMode": body.Choose(&s.verify, body.Words(policy.VerifyAnd, policy.VerifyOr)),
	})
}

func (r *rule) shape() body.Shape {
	return body.Object(body.Fields{
		"action":    body.Choose(&r.action, body.Words(policy.Allow, policy.Deny)),
		"addresses": body.Each(&r.addresses, body.Address),
	}, "action", "addresses")
}

func credential(into *policy.Credential) body.Shape {
	return body.Object(body.Fields{
		"username": matching(&into.Username, `^[a-zA-Z](-?[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*)?$`, 3, 39),
		"password": body.Text(&into.Hash),
	}, "username")
}

func headerRule(into *policy.HeaderRule) body.Shape {
	return body.Check(body.Object(body.Fields{
		"name":      matching(&into.Name, `^[a-zA-Z0-9_\-%$+]+$`, 1, 256),
		"value":     body.Line(&into.Value, maxValue),
		"regexMode": body.Flag(&into.Regex),
	}, "name"), func() error {
		if !into.Regex {
			return nil
		}
		if _, err := regexp.Compile(into.Value); err != nil {
			return &body.Mistake{What: fmt.Sprintf("value is no regular expression: %v", err)}
		}
		return nil
	})
}

// matching is text of a form and a length.
func matching(into *string, form string, least, most int) body.Shape {
	return body.Check(body.Text(into), func() error {
		switch {
		case len(*into) < least || len(*into) > most:
			return &body.Mistake{What: fmt.Sprintf("it has %d characters", len(*into)), Remedy: fmt.Sprintf("use %d to %d", least, most)}
		case !regexp.MustCompile(form).MatchString(*into):
			return &body.Mistake{What: fmt.Sprintf("%q is not of the form %s", *into, form)}
		}
		return nil
	})
}

func sso(into **policy.SSO) body.Shape {
	s := &policy.SSO{}
	return body.Check(body.Object(body.Fields{
		"organizationId":                   body.Text(&s.Organization),
		"directoryGroupIds":                body.Each(&s.Groups, body.Text),
		"allowAnyOrgUsers":                 body.Flag(&s.AnyOrgUsers),
		"validateInternalTraffic":          body.Flag(&s.ValidateInternal),
		"setCookieOnRootDomain":            body.Flag(&s.RootDomainCookie),
		"allowInternalTrafficViaPublicDns": body.Flag(&s.AllowInternalViaPublicDNS),
	}, "organizationId"), func() error {
		if s.ValidateInternal && s.AllowInternalViaPublicDNS {
			return &body.Mistake{What: "private networks must sign in, and need not", Remedy: "leave validateInternalTraffic or allowInternalTrafficViaPublicDns out"}
		}
		*into = s
		return nil
	})
}

// hash puts hashes in the place of passwords.
func (s *security) hash() {
	for i := range s.Credentials {
		if c := &s.Credentials[i]; c.Hash != "" {
			c.Hash = access.HashPassword(c.Hash)
		}
	}
}

// apply makes ep ask what was written.
func (s *security) apply(ep *policy.Endpoint, m control.Moment) error {
	next, err := s.hashed(ep.Security)
	if err != nil {
		return err
	}
	ep.Policies, ep.Security, ep.Verify = s.list(ep.Policies, m), next, s.verify
	return nil
}

// list is the endpoint's own list: what can be seen of the old one is replaced, and
// what is written is live. An entry that judges as one before is that one.
func (s *security) list(old *policy.List, m control.Moment) *policy.List {
	if len(s.policies) == 0 {
		return nil
	}
	var wanted []policy.Entry
	for _, r := range s.policies {
		for _, e := range r.addresses {
			e.Action = r.action
			wanted = append(wanted, e)
		}
	}
	return policy.ReplaceShownPrefixes(old, wanted, m.Now, m.Stamp)
}

// hashed is what was written beside the list. Who has no hash yet keeps the one
// there is, and so does a header its value.
func (s *security) hashed(old *policy.Security) (*policy.Security, error) {
	if len(s.Credentials)+len(s.Headers) == 0 && s.SSO == nil {
		return nil, nil
	}
	next := s.Security
	next.Credentials, next.Headers = slices.Clone(s.Credentials), slices.Clone(s.Headers)
	for i := range next.Credentials {
		c := &next.Credentials[i]
		if c.Hash == "" {
			c.Hash = hashOf(old, c.Username)
		}
		if c.Hash == "" {
			return nil, wrong(fmt.Sprintf("$.credentials[%d].password", i), "missing", "user "+c.Username+" is new, and needs one")
		}
	}
	var values []policy.HeaderRule
	if old != nil {
		values = old.Headers
	}
	if i := policy.KeepValues(next.Headers, values); i >= 0 {
		return nil, wrong(fmt.Sprintf("$.headers[%d].value", i), "missing", "header "+next.Headers[i].Name+" is new, and needs one")
	}
	return &next, nil
}

func hashOf(s *policy.Security, username string) string {
	if s != nil {
		for _, c := range s.Credentials {
			if c.Username == username {
				return c.Hash
			}
		}
	}
	return ""
}

// securityOf is what an endpoint asks now, without what its callers prove themselves
// by: passwords and the values of headers.
func securityOf(ep *policy.Endpoint, now time.Time) v1.Security {
	shown, _ := ep.Policies.Shown(true, now)
	told := v1.Security{VerificationMode: v1.SecurityVerificationMode(ep.Verify.String()), Policies: rulesOf(shown)}
	s := ep.Security
	if s == nil {
		return told
	}
	for _, c := range s.Credentials {
		told.Credentials = append(told.Credentials, v1.Credential{Username: c.Username})
	}
	for _, h := range s.Headers {
		told.Headers = append(told.Headers, v1.HeaderRule{Name: h.Name, RegexMode: h.Regex})
	}
	if s.SSO != nil {
		told.Sso = v1.SSO{
			OrganizationID: s.SSO.Organization, DirectoryGroupIds: s.SSO.Groups, AllowAnyOrgUsers: s.SSO.AnyOrgUsers,
			ValidateInternalTraffic: s.SSO.ValidateInternal, SetCookieOnRootDomain: s.SSO.RootDomainCookie,
			AllowInternalTrafficViaPublicDNS: s.SSO.AllowInternalViaPublicDNS,
		}
	}
	return told
}

// rulesOf are entries as rules, each of those that stand together.
func rulesOf(entries []policy.Entry) []v1.Policy {
	var rules []v1.Policy
	for i := range entries {
		action := v1.Action(entries[i].Action.String())
		if len(rules) == 0 || rules[len(rules)-1].Action != action {
			rules = append(rules, v1.Policy{Action: action})
		}
		last := &rules[len(rules)-1]
		last.Addresses = append(last.Addresses, entries[i].Text)
	}
	return rules
}

// endpointRecord is an endpoint in a difference; nil is none.
func endpointRecord(ep *policy.Endpoint, now time.Time) *endpointValue {
	if ep == nil {
		return nil
	}
	return &endpointValue{endpointSpec(ep), securityOf(ep, now)}
}

type endpointValue struct {
	v1.EndpointSpec
	Security v1.Security `json:"security"`
}
