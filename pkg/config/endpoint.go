package config

import (
	"net/http"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

func (r *reader) failsafe(n *yaml.Node) policy.Failsafe {
	f := policy.Failsafe{Pos: r.at(n)}
	r.mapping("failsafe", n, fields{
		"protocol": choose(r, &f.Protocol, policy.TCP, policy.UDP),
		"ports":    r.ports(&f.Ports),
		"from":     r.prefixes(&f.From),
	})
	return f
}

func (r *reader) endpoint(n *yaml.Node) *policy.Endpoint {
	ep := &policy.Endpoint{AllTenants: true, Resource: policy.AnyResource, Pos: r.at(n)}
	r.mapping("endpoint", n, fields{
		"name":             r.text(&ep.Name),
		"protocol":         choose(r, &ep.Protocol, policy.TCP, policy.UDP, policy.AnyProtocol),
		"address":          r.destination(&ep.Destination),
		"ports":            r.ports(&ep.Ports),
		"tenants":          r.tenants(ep),
		"resource":         r.text(&ep.Resource),
		"policies":         r.policies(&ep.Policies),
		"client":           r.client(&ep.Client),
		"proxies":          r.prefixes(&ep.Client.Proxies),
		"trusted_hops":     r.number(&ep.Client.Hops),
		"exhausted":        choose(r, &ep.Client.Exhausted, policy.ExhaustedDeny, policy.ExhaustedPeer, policy.ExhaustedLeftmost),
		"refuse":           choose(r, &ep.Refuse, policy.RefuseDrop, policy.RefuseRespond),
		"mode":             choose(r, &ep.Mode, policy.Enforce, policy.Monitor, policy.Off),
		"unlisted":         choose(r, &ep.Unlisted, policy.UnlistedOpen, policy.UnlistedClosed),
		"loopback":         choose(r, &ep.Loopback, policy.LoopbackJudge, policy.LoopbackExempt),
		"verificationMode": choose(r, &ep.Verify, policy.VerifyAnd, policy.VerifyOr),
		"hosts":            r.either(&ep.StrictHosts, "strict", "any"),
		"http":             r.http(&ep.HTTP),
		"project":          r.text(&ep.Project),
		"service":          r.text(&ep.Service),
	})
	return ep
}

// destination is everything, an address or a prefix.
func (r *reader) destination(into *policy.Destination) read {
	one := r.address(func(n *yaml.Node, rg addr.Range) {
		p, ok := rg.Prefix()
		if !ok {
			r.faultf(n, "make it an endpoint for each prefix", "address %s is no prefix", n.Value)
			return
		}
		into.Prefix = p
	})
	return func(what string, n *yaml.Node) {
		if n.Value == "everything" {
			into.Everything = true
			return
		}
		one(what, n)
	}
}

func (r *reader) tenants(ep *policy.Endpoint) read {
	return func(what string, n *yaml.Node) {
		ep.AllTenants = false
		r.names(&ep.Tenants)(what, n)
	}
}

// client is a word, or header:NAME.
func (r *reader) client(into *policy.Client) read {
	plain := choose(r, &into.Source, policy.Peer, policy.XForwardedFor, policy.Forwarded, policy.ProxyProtocol)
	return func(what string, n *yaml.Node) {
		name, ok := strings.CutPrefix(n.Value, "header:")
		if !ok {
			plain(what, n)
			return
		}
		if name == "" || strings.ContainsFunc(name, notInToken) {
			r.faultf(n, "write it like header:X-Real-IP", "client is %q, which names no header", n.Value)
			return
		}
		into.Source, into.Header = policy.HeaderField, http.CanonicalHeaderKey(name)
	}
}

func notInToken(c rune) bool {
	return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
}

// policies are the endpoint's own list, in the shape of its ALLOW and DENY rules.
func (r *reader) policies(into **policy.List) read {
	return func(what string, n *yaml.Node) {
		list := &policy.List{Owner: r.file, Pos: r.at(n)}
		r.each(func(n *yaml.Node) { list.Entries = append(list.Entries, r.rule(n)...) })(what, n)
		*into = list
	}
}

func (r *reader) rule(n *yaml.Node) []policy.Entry {
	var action policy.Action
	var entries []policy.Entry
	r.mapping("policy", n, fields{
		"action": choose(r, &action, policy.Allow, policy.Deny),
		"addresses": r.each(func(n *yaml.Node) {
			r.address(func(n *yaml.Node, rg addr.Range) {
				entries = append(entries, policy.Entry{Text: n.Value, Range: rg, Pos: r.at(n)})
			})("an address of a policy", n)
		}),
	})
	for i := range entries {
		entries[i].Action = action
	}
	return entries
}

func (r *reader) http(into **policy.HTTP) read {
	return func(what string, n *yaml.Node) {
		h, before := &policy.HTTP{}, len(r.found)
		r.mapping(what, n, fields{
			"listen":   r.hostPort(&h.Listen),
			"upstream": r.upstream(&h.Upstream),
			"health":   r.section(fields{"path": r.path(&h.Health), "from": r.prefixes(&h.HealthFrom)}),
			"refusal":  r.section(fields{"org": r.either(&h.HideOrg, "hide", "show")}),
		})
		if (h.Listen == "" || h.Upstream == "") && len(r.found) == before {
			r.faultf(n, `write http: {listen: ":8080", upstream: "http://127.0.0.1:3000"}`, "http without listen or upstream")
		}
		*into = h
	}
}
