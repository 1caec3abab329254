package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// hosts are the names a tenant is known by, in the form a request's Host is
// compared in: lower case, one label for each * or {x}.
func (r *reader) hosts(into *[]string) read {
	return func(what string, n *yaml.Node) {
		*into = []string{}
		r.each(func(n *yaml.Node) {
			r.scalar(func(n *yaml.Node, text string) {
				host, err := canonicalHost(text)
				if err != nil {
					r.mistake(n, err)
					return
				}
				*into = append(*into, host)
			})(what, n)
		})(what, n)
		r.once(what, n)
	}
}

var (
	placeholder = regexp.MustCompile(`^\{[A-Za-z0-9_-]+\}$`)
	label       = regexp.MustCompile(`^(?:\*|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)$`)
)

func canonicalHost(text string) (string, error) {
	if ip, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil && ip.Zone() == "" {
		return ip.String(), nil
	}
	labels := strings.Split(strings.ToLower(strings.TrimSuffix(text, ".")), ".")
	for i, l := range labels {
		if placeholder.MatchString(l) {
			l = "*"
		}
		if !label.MatchString(l) {
			return "", fmt.Errorf("host %q: not a name, a pattern or an address", text)
		}
		labels[i] = l
	}
	return strings.Join(labels, "."), nil
}
