package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// Dialect is another system's API, on a listener of its own.
type Dialect struct {
	Name   string `json:"name"` // trustx, hdp, northflank or port
	Listen string `json:"listen"`
	// Tenant is the host names of trustx, with {tenant} for the tenant's id.
	Tenant string `json:"tenant,omitempty"`
	// DNS is how northflank names a port in public, of {name}, {service} and
	// {project}; "": not at all.
	DNS string `json:"dns,omitempty"`
	// Certificates are PEM files of which northflank tells the dates.
	Certificates []string `json:"certificates,omitempty"`
}

// dialects are the keys that each may have beside name and listen.
var dialects = map[string][]string{
	"trustx":     {"tenant"},
	"hdp":        nil,
	"northflank": {"dns", "certificates"},
	"port":       nil,
}

func (r *reader) dialect(n *yaml.Node, all *listeners) Dialect {
	var d Dialect
	before := len(r.found)
	r.mapping("dialect", n, fields{
		"name":         r.dialectName(&d.Name),
		"listen":       r.listener(all, func(text string) { d.Listen = text }),
		"tenant":       r.template(&d.Tenant, "tenant", "region"),
		"dns":          r.template(&d.DNS, "name", "service", "project"),
		"certificates": r.paths(&d.Certificates),
	})
	if len(r.found) > before {
		return d
	}
	given := map[string]bool{"tenant": d.Tenant != "", "dns": d.DNS != "", "certificates": d.Certificates != nil}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if given[key] && !slices.Contains(dialects[d.Name], key) {
			r.faultf(n, "remove it", "dialect %s has no key %q", d.Name, key)
		}
	}
	switch {
	case d.Name == "":
		r.faultf(n, "write name: hdp, northflank, port or trustx", "dialect without a name")
	case d.Listen == "":
		r.faultf(n, "write it like http://127.0.0.1:9450", "dialect %s without listen", d.Name)
	case d.Name == "trustx" && !strings.Contains(d.Tenant, "{tenant}"):
		r.faultf(n, `write it like "{tenant}.{region}.example.com"`, "dialect trustx without {tenant} in tenant: it knows tenants by their hosts")
	}
	return d
}

func (r *reader) dialectName(into *string) read {
	return func(what string, n *yaml.Node) {
		r.scalar(func(n *yaml.Node, text string) {
			if _, ok := dialects[text]; !ok {
				r.unknownWord(what, n, slices.Sorted(maps.Keys(dialects)))
				return
			}
			*into = text
		})(what, n)
	}
}

var hole = regexp.MustCompile(`\{([^{}]*)\}`)

// template is a host name with holes in it, each at most once.
func (r *reader) template(into *string, holes ...string) read {
	return func(what string, n *yaml.Node) {
		r.scalar(func(n *yaml.Node, text string) {
			seen := map[string]bool{}
			for _, m := range hole.FindAllStringSubmatch(text, -1) {
				switch name := m[1]; {
				case !slices.Contains(holes, name):
					r.faultf(n, meant(name, holes), "%s has no {%s}, but {%s}", what, name, strings.Join(holes, "}, {"))
					return
				case seen[name]:
					r.faultf(n, "", "%s has {%s} twice", what, name)
					return
				default:
					seen[name] = true
				}
			}
			if _, err := policy.CanonicalHost(hole.ReplaceAllString(text, "x")); err != nil {
				r.faultf(n, "", "%s is %q, not a host name with %s in it", what, text, "{"+strings.Join(holes, "}, {")+"}")
				return
			}
			*into = text
		})(what, n)
	}
}

// listeners are those already read, and where they stand.
type listeners []placed

type placed struct {
	addr.Listener
	node *yaml.Node
}

func (r *reader) listens(into *[]string, all *listeners) read {
	return func(what string, n *yaml.Node) {
		*into = []string{}
		r.each(func(n *yaml.Node) {
			r.listener(all, func(text string) { *into = append(*into, text) })(what, n)
		})(what, n)
	}
}

// listener is where one may listen where no other does.
func (r *reader) listener(all *listeners, set func(text string)) read {
	return r.scalar(func(n *yaml.Node, text string) {
		l, err := addr.ParseListener(text)
		if err != nil {
			r.mistake(n, err)
			return
		}
		for _, other := range *all {
			if other.Address == l.Address {
				r.faultf(n, "keep one of them", "listener %s: %s listens there already, in line %d", l, other.Listener, other.node.Line)
				return
			}
		}
		*all = append(*all, placed{l, n})
		set(text)
	})
}

// needTLS finds the listeners that cannot do without.
func (r *reader) needTLS(all listeners) {
	for _, l := range all {
		if l.Scheme == "https" {
			r.faultf(l.node, "write tls: {cert: FILE, key: FILE} under api", "listener %s without tls", l)
		}
	}
}
