package policy

import "slices"

// roster is which endpoints serve a tenant. It depends on the endpoints alone,
// and so outlives most revisions.
type roster struct {
	naming   map[string][]int // the records of the endpoints that name a tenant
	everyone []int            // of those that serve all
}

func newRoster(eps []*Endpoint) *roster {
	r := &roster{naming: make(map[string][]int, len(eps))}
	for i, ep := range eps {
		if ep.AllTenants {
			r.everyone = append(r.everyone, i+1)
		}
		for _, id := range ep.Tenants {
			r.naming[id] = append(r.naming[id], i+1)
		}
	}
	return r
}

// serving are the records of the endpoints that serve a tenant.
func (r *roster) serving(id string) []int { return slices.Concat(r.naming[id], r.everyone) }

// names reports whether an endpoint names the tenant.
func (r *roster) names(id string) bool { return r.naming[id] != nil }
