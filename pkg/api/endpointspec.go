package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/api/body"
	v1 "github.com/postern-io/postern/pkg/api/v1"
	"github.com/postern-io/postern/pkg/policy"
)

// endpointShape is an endpoint as it is written. Whether it makes sense as a whole
// is the policy's to say.
func endpointShape(ep *policy.Endpoint) body.Shape {
	var ports []policy.PortRange
	return body.Check(body.Object(body.Fields{
		"project":  id(&ep.Project),
		"service":  id(&ep.Service),
		"protocol": body.Choose(&ep.Protocol, body.Words(policy.TCP, policy.UDP, policy.AnyProtocol)),
		"address":  destination(&ep.Destination),
		"ports":    body.Each(&ports, portRange),
		"tenants": body.Check(body.Each(&ep.Tenants, id), func() error {
			ep.AllTenants = false
			return nil
		}),
		"resource":    body.Text(&ep.Resource),
		"client":      client(&ep.Client),
		"proxies":     prefixesShape(&ep.Client.Proxies),
		"trustedHops": body.Int(&ep.Client.Hops, 0, 32),
		"exhausted":   body.Choose(&ep.Client.Exhausted, body.Words(policy.ExhaustedDeny, policy.ExhaustedPeer, policy.ExhaustedLeftmost)),
		"refuse":      body.Choose(&ep.Refuse, body.Words(policy.RefuseDrop, policy.RefuseRespond)),
		"mode":        body.Choose(&ep.Mode, body.Words(policy.Enforce, policy.Monitor, policy.Off)),
		"unlisted":    body.Choose(&ep.Unlisted, body.Words(policy.UnlistedOpen, policy.UnlistedClosed)),
		"loopback":    body.Choose(&ep.Loopback, body.Words(policy.LoopbackJudge, policy.LoopbackExempt)),
		"hosts":       body.Choose(&ep.StrictHosts, map[string]bool{"any": false, "strict": true}),
		"http":        gateShape(&ep.HTTP),
	}), func() error {
		if len(ports) > 0 {
			ep.Ports = ports
		}
		return nil
	})
}

func portRange(into *policy.PortRange) body.Shape {
	return parsed(into, policy.ParsePorts)
}

// parsed is text that parse makes something of.
func parsed[T any](into *T, parse func(string) (T, error)) body.Shape {
	var text string
	return body.Check(body.Text(&text), func() (err error) {
		*into, err = parse(text)
		return err
	})
}

func destination(into *policy.Destination) body.Shape {
	return parsed(into, func(text string) (d policy.Destination, err error) {
		if text == "everything" {
			return policy.Destination{Everything: true}, nil
		}
		rg, err := addr.Parse(text)
		if err != nil {
			return d, err
		}
		var ok bool
		if d.Prefix, ok = rg.Prefix(); !ok {
			return d, &body.Mistake{What: "address " + text + " is no prefix", Remedy: "make it an endpoint for each prefix"}
		}
		return d, nil
	})
}

// client is a word, or header:NAME.
func client(into *policy.Client) body.Shape {
	var text string
	return body.Check(body.Text(&text), func() error {
		if name, ok := strings.CutPrefix(text, "header:"); ok && name != "" {
			into.Source, into.Header = policy.HeaderField, http.CanonicalHeaderKey(name)
			return nil
		}
		source, ok := body.Words(policy.Peer, policy.XForwardedFor, policy.Forwarded, policy.ProxyProtocol)[text]
		if into.Source = source; !ok {
			return &body.Mistake{What: fmt.Sprintf("%.80q is no way to know a client", text), Remedy: "write peer, xff, forwarded, proxy-protocol or header:NAME"}
		}
		return nil
	})
}

func prefixesShape(into *[]netip.Prefix) body.Shape {
	var ranges []addr.Range
	return body.Check(body.Each(&ranges, func(into *addr.Range) body.Shape { return parsed(into, addr.Parse) }), func() error {
		for _, rg := range ranges {
			*into = rg.AppendPrefixes(*into)
		}
		return nil
	})
}

func gateShape(into **policy.HTTP) body.Shape {
	h := &policy.HTTP{}
	return body.Check(body.Object(body.Fields{
		"listen":     parsed(&h.Listen, hostPort),
		"upstream":   parsed(&h.Upstream, upstream),
		"health":     body.Text(&h.Health),
		"healthFrom": prefixesShape(&h.HealthFrom),
		"hideOrg":    body.Flag(&h.HideOrg),
	}, "listen", "upstream"), func() error {
		*into = h
		return nil
	})
}

func hostPort(text string) (string, error) {
	_, port, err := net.SplitHostPort(text)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return "", &body.Mistake{What: fmt.Sprintf("%.80q is not host:port", text), Remedy: "write it like 127.0.0.1:8080"}
	}
	return text, nil
}

func upstream(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", &body.Mistake{What: fmt.Sprintf("%.80q is not an http or https URL", text), Remedy: "write it like http://127.0.0.1:3000"}
	}
	return text, nil
}

// endpointSpec is an endpoint as it could be written again.
func endpointSpec(ep *policy.Endpoint) v1.EndpointSpec {
	spec := v1.EndpointSpec{
		Project: ep.Project, Service: ep.Service, Protocol: v1.EndpointSpecProtocol(ep.Protocol.String()),
		Ports: texts(ep.Ports), Resource: ep.Resource, Client: clientText(ep.Client), Proxies: prefixTexts(ep.Client.Proxies),
		TrustedHops: ep.Client.Hops, Exhausted: v1.EndpointSpecExhausted(ep.Client.Exhausted.String()),
		Mode: v1.EndpointSpecMode(ep.Mode.String()), Loopback: v1.EndpointSpecLoopback(ep.Loopback.String()),
		Hosts: v1.EndpointSpecHostsAny,
	}
	if d := ep.Destination; d != (policy.Destination{}) {
		spec.Address = d.String()
	}
	if !ep.AllTenants {
		tenants := orNone(ep.Tenants)
		spec.Tenants = &tenants
	}
	if ep.Refuse != policy.RefuseDefault {
		spec.Refuse = v1.EndpointSpecRefuse(ep.Refuse.String())
	}
	if ep.Unlisted != policy.Inherit {
		spec.Unlisted = v1.EndpointSpecUnlisted(ep.Unlisted.String())
	}
	if ep.StrictHosts {
		spec.Hosts = v1.EndpointSpecHostsStrict
	}
	if h := ep.HTTP; h != nil {
		spec.HTTP = v1.HTTP{Listen: h.Listen, Upstream: h.Upstream, Health: h.Health, HealthFrom: prefixTexts(h.HealthFrom), HideOrg: h.HideOrg}
	}
	return spec
}

func prefixTexts(ps []netip.Prefix) []string {
	all := make([]string, len(ps))
	for i, p := range ps {
		all[i] = p.String()
	}
	return all
}
