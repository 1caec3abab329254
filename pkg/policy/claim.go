package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// claim is a host name or pattern and the tenant that says it is its own.
type claim struct {
	host   string
	tenant *Tenant
}

// hosts finds names and patterns that lead to more than one tenant. A name may
// lie inside another tenant's pattern: it is looked up first.
func (c *checker) hosts(tenants Map[Tenant]) {
	names := map[string]*Tenant{}
	patterns := map[hostMask][]claim{}
	for _, t := range withHosts(tenants) {
		for _, host := range t.Hosts {
			if mask, isPattern := maskOf(host); isPattern {
				patterns[mask] = append(patterns[mask], claim{host, t})
			} else if first, ok := names[host]; ok && first != t {
				c.hostTwice(claim{host, t}, claim{host, first})
			} else {
				names[host] = t
			}
		}
	}
	masks := slices.SortedFunc(maps.Keys(patterns), hostMask.compare)
	for i, a := range masks {
		for _, b := range masks[i:] {
			if a.labels == b.labels {
				c.overlaps(a.union(b), patterns[a], patterns[b])
			}
		}
	}
}

// withHosts are the tenants that have any, by id.
func withHosts(tenants Map[Tenant]) []*Tenant {
	var some []*Tenant
	for _, t := range tenants.All() {
		if len(t.Hosts) > 0 {
			some = append(some, t)
		}
	}
	slices.SortFunc(some, func(a, b *Tenant) int { return strings.Compare(a.ID, b.ID) })
	return some
}

// overlaps finds patterns of two shapes that one name may match. They agree in
// every label that neither leaves open, so that is the key under which they meet.
func (c *checker) overlaps(open hostMask, a, b []claim) {
	met := map[string][]claim{}
	for _, cl := range a {
		key := open.apply(strings.Split(cl.host, "."))
		// Two tenants under one key are enough to find everyone's neighbour.
		if known := met[key]; len(known) == 0 || len(known) == 1 && known[0].tenant != cl.tenant {
			met[key] = append(known, cl)
		}
	}
	for _, cl := range b {
		for _, first := range met[open.apply(strings.Split(cl.host, "."))] {
			if first.tenant.ID < cl.tenant.ID || first.tenant.ID > cl.tenant.ID && &a[0] != &b[0] {
				c.hostTwice(cl, first)
			}
		}
	}
}

func (c *checker) hostTwice(second, first claim) {
	what := "host " + first.host
	if first.host != second.host {
		what = "a host of the pattern " + first.host
	}
	c.errorf(second.tenant.Pos, "leave it to one of them", "host %s of tenant %s may be %s of tenant %s (%s)",
		second.host, second.tenant.ID, what, first.tenant.ID, first.tenant.Pos)
}

// union leaves open what either mask does.
func (m hostMask) union(o hostMask) hostMask {
	stars := []byte(m.stars)
	for i := range stars {
		if o.stars[i] == '*' {
			stars[i] = '*'
		}
	}
	return hostMask{m.labels, string(stars)}
}

func (m hostMask) compare(o hostMask) int {
	return cmp.Or(cmp.Compare(m.labels, o.labels), strings.Compare(m.stars, o.stars))
}
