package config

import (
	"go.yaml.in/yaml/v3"

	"github.com/postern-io/postern/pkg/policy"
)

// hosts are the names a tenant is known by, in the form a request's Host is
// compared in: lower case, one label for each * or {x}.
func (r *reader) hosts(into *[]string) read {
	return func(what string, n *yaml.Node) {
		*into = []string{}
		r.each(func(n *yaml.Node) {
			r.scalar(func(n *yaml.Node, text string) {
				host, err := policy.CanonicalHost(text)
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
