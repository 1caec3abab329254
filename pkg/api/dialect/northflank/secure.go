package northflank

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/postern-io/postern/pkg/api/body"
	"github.com/postern-io/postern/pkg/policy"
)

// wantedSecurity is what a port is to ask of its visitors.
type wantedSecurity struct {
	credentials []wantedCredential
	ip          []wantedRule // which are policies by another name
	policies    []wantedRule
	hasSSO      body.Said
	sso         policy.SSO
	verify      policy.Verify
	headers     []policy.HeaderRule
}

type wantedCredential struct {
	username string
	password string // "": it stays
	hash     string
}

type wantedRule struct {
	action  policy.Action
	entries []policy.Entry
}

const (
	maxPasswords = 100  // to be hashed for one request
	maxPassword  = 1024 // characters
	maxValue     = 4096 // of a header's, which may be an expression
)

func (s *wantedSecurity) shape() body.Shape {
	rules := func(into *wantedRule) body.Shape { return into.shape() }
	return body.Object(body.Fields{
		"credentials":             body.Each(&s.credentials, func(into *wantedCredential) body.Shape { return into.shape() }),
		"ip":                      body.Each(&s.ip, rules),
		"policies":                body.Each(&s.policies, rules),
		"sso":                     body.Noted(&s.hasSSO, shapeSSO(&s.sso)),
		"verificationMode":        body.Choose(&s.verify, body.Words(policy.VerifyAnd, policy.VerifyOr)),
		"headers":                 body.Each(&s.headers, shapeHeader),
		"securePathConfiguration": refused("rules by path are not applied here", "leave it out, and secure the whole port"),
	})
}

// refused is a key that means something, but not here.
func refused(what, remedy string) body.Shape {
	var unread json.RawMessage
	return body.Check(body.Raw(&unread), func() error { return &body.Mistake{What: what, Remedy: remedy} })
}

func (c *wantedCredential) shape() body.Shape {
	var kind string
	return body.Object(body.Fields{
		"username": body.Check(body.Text(&c.username), func() error {
			if len(c.username) < 3 || len(c.username) > 39 || !nameText.MatchString(c.username) {
				return &body.Mistake{What: fmt.Sprintf("%q is no username", c.username), Remedy: "a username is like " + nameText.String() + ", of 3 to 39 characters"}
			}
			return nil
		}),
		"password": body.Check(body.Text(&c.password), func() error {
			if len(c.password) > maxPassword {
				return &body.Mistake{What: fmt.Sprintf("longer than %d bytes", maxPassword)}
			}
			return nil
		}),
		"type": body.Choose(&kind, map[string]string{basicAuth: basicAuth}),
	}, "username", "password", "type")
}

func (r *wantedRule) shape() body.Shape {
	return body.Check(body.Object(body.Fields{
		"addresses": body.Each(&r.entries, func(into *policy.Entry) body.Shape {
			return body.Check(body.Address(into), func() error { return notRanged(into) })
		}),
		"action": body.Choose(&r.action, actions),
	}, "addresses", "action"), func() error {
		if len(r.entries) == 0 {
			return &body.Mistake{What: "a rule without addresses", Remedy: "leave the rule out"}
		}
		return nil
	})
}

// ranged reports whether an entry was typed as a range, which this API has no way
// to write.
func ranged(e policy.Entry) bool { return strings.Contains(e.Text, "-") }

// notRanged refuses a range, with its prefixes where they are few.
func notRanged(e *policy.Entry) error {
	if !ranged(*e) {
		return nil
	}
	const few = 8
	m := &body.Mistake{What: "a range, and rules have addresses and prefixes"}
	if prefixes := texts(*e); len(prefixes) <= few {
		m.Remedy = "write " + strings.Join(prefixes, ", ")
	}
	return m
}

func shapeSSO(into *policy.SSO) body.Shape {
	return body.Check(body.Object(body.Fields{
		"organizationId":                   body.Text(&into.Organization),
		"directoryGroupIds":                body.Each(&into.Groups, func(into *string) body.Shape { return body.Text(into) }),
		"allowAnyOrgUsers":                 body.Flag(&into.AnyOrgUsers),
		"validateInternalTraffic":          body.Flag(&into.ValidateInternal),
		"setCookieOnRootDomain":            body.Flag(&into.RootDomainCookie),
		"noindexRedirect":                  never("its redirect says nothing to robots"),
		"allowInternalTrafficViaPublicDns": body.Flag(&into.AllowInternalViaPublicDNS),
	}), func() error {
		if into.ValidateInternal && into.AllowInternalViaPublicDNS {
			return &body.Mistake{
				What:   "validateInternalTraffic and allowInternalTrafficViaPublicDns exclude each other",
				Remedy: "keep one of them",
			}
		}
		return nil
	})
}

// headerName is what a header's name may be, which is more than the pattern that
// one of the two documented forms has.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$")

func shapeHeader(into *policy.HeaderRule) body.Shape {
	return body.Check(body.Object(body.Fields{
		"regexMode": body.Flag(&into.Regex),
		"name": body.Check(body.Text(&into.Name), func() error {
			if !headerName.MatchString(into.Name) {
				return &body.Mistake{What: fmt.Sprintf("%q is no header's name", into.Name), Remedy: "write it like X-Secret"}
			}
			return nil
		}),
		"value": body.Check(body.Text(&into.Value), func() error {
			if len(into.Value) > maxValue {
				return &body.Mistake{What: fmt.Sprintf("longer than %d bytes", maxValue)}
			}
			return nil
		}),
	}, "name", "value"), func() error {
		if !into.Regex {
			return nil
		}
		if _, err := regexp.Compile(into.Value); err != nil {
			return &body.Mistake{What: "value is no expression: " + err.Error()}
		}
		return nil
	})
}

// list is the entries of all rules, those named twice once.
func (s *wantedSecurity) list() []policy.Entry {
	var all []policy.Entry
	known := map[policy.Entry]bool{}
	for _, r := range slices.Concat(s.policies, s.ip) {
		for _, e := range r.entries {
			e.Action = r.action
			if !known[e] {
				known[e] = true
				all = append(all, e)
			}
		}
	}
	return all
}
