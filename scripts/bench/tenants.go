package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"

	"go4.org/netipx"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/testenv"
)

// tenant is an organisation and its one list. Without entries it has no list,
// and its endpoint is open.
type tenant struct {
	id    string
	allow []netip.Prefix
	deny  []netip.Prefix
}

// everyTenant is how many tenants the loads have that stand for a large edge.
const everyTenant = 91_065

// byASN are the autonomous systems of the Internet as tenants, what each
// announces as its list; or as many, with lists of the same sizes.
func (l *lists) byASN(s *testenv.Stage) []tenant {
	const name = "tenants by AS"
	if _, err := os.Stat(l.tenants); l.tenants == "" || err != nil {
		ts := sizedTenants(rand.New(rand.NewPCG(2, 2)))
		l.from(name, allowed(ts), synthetic)
		return ts
	}
	var ts []tenant
	at := map[string]int{}
	for line := range linesOf(s, l.tenants) {
		id, cidr, _ := strings.Cut(line, "\t")
		p, err := netip.ParsePrefix(cidr)
		s.Check(err)
		i, known := at[id]
		if !known {
			i = len(ts)
			at[id] = i
			ts = append(ts, tenant{id: id})
		}
		ts[i].allow = append(ts[i].allow, p)
	}
	l.from(name, allowed(ts), tenantsFile)
	return ts
}

// sizes are how long the lists of tenants are: of a share of them, at most so
// many prefixes.
var sizes = []struct {
	share float64
	most  float64
}{
	{0.33, 1},
	{0.62, 2},
	{0.74, 3},
	{0.80, 5},
	{0.90, 10},
	{0.95, 19},
	{0.98, 44},
	{0.99, 87},
	{0.995, 163},
	{0.999, 548},
	{0.9995, 1096},
	{0.9999, 4699},
	{1, 9912},
}

// size is the length of the list of the tenant with a share of tenants before it.
func size(share float64) int {
	low, from := 1.0, 0.0
	for _, step := range sizes {
		if share <= step.share {
			return int(math.Round(low * math.Pow(step.most/low, (share-from)/(step.share-from))))
		}
		low, from = step.most, step.share
	}
	return int(low)
}

// sizedTenants are tenants with lists as long as those of autonomous systems.
func sizedTenants(rng *rand.Rand) []tenant {
	pool := append(scattered(rng, 640_000), scattered6(rng, 190_000)...)
	rng.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	ts := make([]tenant, everyTenant)
	for i := range ts {
		n := min(size(float64(i)/everyTenant), len(pool))
		ts[i] = tenant{id: fmt.Sprintf("t%d", i), allow: pool[:n:n]}
		pool = pool[n:]
	}
	rng.Shuffle(len(ts), func(i, j int) { ts[i], ts[j] = ts[j], ts[i] })
	return ts
}

// allowed are the prefixes of all tenants.
func allowed(ts []tenant) []netip.Prefix {
	var all []netip.Prefix
	for i := range ts {
		all = append(all, ts[i].allow...)
	}
	return all
}

// stateOf has an endpoint on an address of its own for each tenant.
func stateOf(ts []tenant) *policy.State {
	s, tenants := &policy.State{}, make(map[string]*policy.Tenant, len(ts))
	for i := range ts {
		t := &ts[i]
		tenants[t.id] = &policy.Tenant{ID: t.id, Lists: t.lists()}
		s.Endpoints = append(s.Endpoints, endpoint("e"+t.id, destination(i), t.id))
	}
	s.Tenants = policy.MapOf(tenants)
	return s
}

func (t *tenant) lists() map[string]*policy.List {
	if len(t.allow) == 0 {
		return nil
	}
	l := &policy.List{Entries: make([]policy.Entry, 0, len(t.allow)+len(t.deny))}
	for _, p := range t.allow {
		l.Entries = append(l.Entries, entry(p, policy.Allow))
	}
	for _, p := range t.deny {
		l.Entries = append(l.Entries, entry(p, policy.Deny))
	}
	return map[string]*policy.List{policy.AnyResource: l}
}

func entry(p netip.Prefix, action policy.Action) policy.Entry {
	return policy.Entry{Text: p.String(), Range: netipx.RangeOfPrefix(p), Action: action}
}

// port is where every endpoint listens.
const port = 443

func endpoint(name string, at netip.Addr, tenants ...string) *policy.Endpoint {
	return &policy.Endpoint{
		Name: name, Tenants: tenants, Resource: policy.AnyResource,
		Ports:       []policy.PortRange{{First: port, Last: port}},
		Destination: policy.Destination{Prefix: netip.PrefixFrom(at, at.BitLen())},
	}
}

// destination is the address of the endpoint of a number.
func destination(i int) netip.Addr { return addr4(100<<24 | uint32(i)) }
