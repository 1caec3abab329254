package northflank

import (
	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// security is what a port asks of its visitors, as it is read.
type security struct {
	Credentials []credential `json:"credentials,omitempty"`
	Policies    []rule       `json:"policies,omitempty"`
	SSO         *sso         `json:"sso,omitempty"`
	Mode        string       `json:"verificationMode,omitempty"`
	Headers     []header     `json:"headers,omitempty"`
}

type credential struct {
	Username string `json:"username"`
	Password string `json:"password"` // is not known
	Type     string `json:"type"`
}

type rule struct {
	Addresses []string `json:"addresses"`
	Action    string   `json:"action"`
}

type sso struct {
	Organization              string   `json:"organizationId,omitempty"`
	Groups                    []string `json:"directoryGroupIds,omitempty"`
	AnyOrgUsers               bool     `json:"allowAnyOrgUsers,omitempty"`
	ValidateInternal          bool     `json:"validateInternalTraffic,omitempty"`
	RootDomainCookie          bool     `json:"setCookieOnRootDomain,omitempty"`
	AllowInternalViaPublicDNS bool     `json:"allowInternalTrafficViaPublicDns,omitempty"`
}

type header struct {
	Regex bool   `json:"regexMode"`
	Name  string `json:"name"`
	Value string `json:"value"` // is not told
}

const basicAuth = "basic-auth"

// asked is what an endpoint asks, of its list these entries; nil is nothing.
func asked(ep *policy.Endpoint, entries []policy.Entry) *security {
	s := &security{Policies: rules(entries)}
	if ep.Verify == policy.VerifyOr {
		s.Mode = ep.Verify.String()
	}
	if ep.Security != nil {
		for _, c := range ep.Security.Credentials {
			s.Credentials = append(s.Credentials, credential{Username: c.Username, Type: basicAuth})
		}
		for _, h := range ep.Security.Headers {
			s.Headers = append(s.Headers, header{h.Regex, h.Name, ""})
		}
		if ep.Security.SSO != nil {
			s.SSO = (*sso)(ep.Security.SSO)
		}
	}
	if len(s.Credentials)+len(s.Policies)+len(s.Headers) == 0 && s.SSO == nil && s.Mode == "" {
		return nil
	}
	return s
}

// actions are what rules do.
var actions = map[string]policy.Action{"ALLOW": policy.Allow, "DENY": policy.Deny}

// rules are entries as they stand, those of one action that follow each other in
// one rule. A range is told as its prefixes, what was typed as one otherwise.
func rules(entries []policy.Entry) []rule {
	words := map[policy.Action]string{}
	for word, action := range actions {
		words[action] = word
	}
	var all []rule
	for i, e := range entries {
		if i == 0 || entries[i-1].Action != e.Action {
			all = append(all, rule{Action: words[e.Action]})
		}
		last := &all[len(all)-1]
		last.Addresses = append(last.Addresses, texts(e)...)
	}
	return all
}

func texts(e policy.Entry) []string {
	if !ranged(e) {
		return []string{e.Text}
	}
	var all []string
	for _, p := range addr.Prefixes(e.Range) {
		if p.IsSingleIP() {
			all = append(all, p.Addr().String())
		} else {
			all = append(all, p.String())
		}
	}
	return all
}
