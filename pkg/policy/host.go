package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// CanonicalHost is a host name, pattern or address in the form in which a State
// has it and a request's Host is compared: lower case, without the last dot, "*"
// for each {x}.
func CanonicalHost(text string) (string, error) {
	if ip, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil && ip.Zone() == "" {
		return ip.String(), nil
	}
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	labels := strings.Split(name, ".")
	fits := len(name) <= 253
	for i, l := range labels {
		var ok bool
		labels[i], ok = canonicalLabel(l)
		fits = fits && ok
	}
	if !fits {
		return "", fmt.Errorf("host %.80q: not a name, a pattern or an address", text)
	}
	return strings.Join(labels, "."), nil
}

// canonicalLabel is by hand, as ValidID is.
func canonicalLabel(l string) (string, bool) {
	if name, ok := strings.CutPrefix(l, "{"); ok {
		name, ok = strings.CutSuffix(name, "}")
		return "*", ok && name != "" && hostText(name)
	}
	ends := strings.HasPrefix(l, "-") || strings.HasSuffix(l, "-")
	return l, l == "*" || l != "" && len(l) <= 63 && !ends && hostText(l)
}

func hostText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// hostNames finds the tenant of a host name: an exact name before a pattern,
// where "*" stands for one label.
type hostNames struct {
	exact    map[string]string
	patterns map[string]string // the pattern -> tenant
	// masks are the shapes patterns have: which labels are "*", of how many. A
	// name is looked up once per shape, not once per pattern.
	masks []hostMask
}

type hostMask struct {
	labels int
	stars  string // a byte a label: '*' or '.'
}

func newHostNames(tenants Map[Tenant]) hostNames {
	h := hostNames{exact: map[string]string{}, patterns: map[string]string{}}
	seen := map[hostMask]bool{}
	for id, t := range tenants.All() {
		for _, host := range t.Hosts {
			m, isPattern := maskOf(host)
			if !isPattern {
				h.exact[host] = id
				continue
			}
			h.patterns[host] = id
			if !seen[m] {
				seen[m] = true
				h.masks = append(h.masks, m)
			}
		}
	}
	return h
}

// sameHosts reports whether every tenant has the hosts it had before.
func (s *State) sameHosts(before *State) bool {
	for c := range s.Tenants.Since(before.Tenants) {
		if !slices.Equal(c.Before.hosts(), c.After.hosts()) {
			return false
		}
	}
	return true
}

func (t *Tenant) hosts() []string {
	if t == nil {
		return nil
	}
	return t.Hosts
}

func maskOf(host string) (m hostMask, isPattern bool) {
	labels := strings.Split(host, ".")
	stars := make([]byte, len(labels))
	for i, l := range labels {
		stars[i] = '.'
		if l == "*" {
			stars[i], isPattern = '*', true
		}
	}
	return hostMask{len(labels), string(stars)}, isPattern
}

func (h *hostNames) find(host string) (tenant string, ok bool) {
	if tenant, ok = h.exact[host]; ok || len(h.masks) == 0 {
		return tenant, ok
	}
	labels := strings.Split(host, ".")
	if slices.Contains(labels, "") {
		return "", false // "" and ".example.com" are nobody's, whatever "*" matches
	}
	for _, m := range h.masks {
		if m.labels != len(labels) {
			continue
		}
		if tenant, ok = h.patterns[m.apply(labels)]; ok {
			return tenant, true
		}
	}
	return "", false
}

func (m hostMask) apply(labels []string) string {
	var b strings.Builder
	for i, l := range labels {
		if i > 0 {
			b.WriteByte('.')
		}
		if m.stars[i] == '*' {
			l = "*"
		}
		b.WriteString(l)
	}
	return b.String()
}
