package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/postern-io/postern/pkg/testenv"
)

// overlapping are as many tenants whose lists overlap, as those of real
// customers do: they draw offices, clouds and VPN exits from common stocks, the
// popular ones more often (Zipf). Three in ten have a list that another has too,
// one in twenty denies addresses of what it allows, one in a hundred has no list.
func (l *lists) overlapping(s *testenv.Stage) []tenant {
	rng := rand.New(rand.NewPCG(3, 3))
	stocks := []stock{
		newStock(rng, chunks(scattered(rng, 60_000), 1), 1, 3, 1),
		newStock(rng, chunks(l.cloud(s, "aws-v4"), 40), 1, 2, 0.25),
		newStock(rng, chunks(l.cloud(s, "azure"), 120), 1, 1, 0.15),
		newStock(rng, chunks(l.cloud(s, "google"), 20), 1, 2, 0.1),
		newStock(rng, chunks(scattered6(rng, 20_000), 1), 1, 2, 0.3),
		newStock(rng, chunks(scattered(rng, 4_000), 8), 1, 2, 0.2),
	}
	ts := make([]tenant, everyTenant)
	popular := rand.NewZipf(rng, 1.1, 10, everyTenant/10)
	for i := range ts {
		ts[i].id = fmt.Sprintf("z%d", i)
		switch another := int(popular.Uint64()); {
		case rng.Float64() < 0.01:
			continue
		case rng.Float64() < 0.3 && another < i:
			ts[i].allow, ts[i].deny = ts[another].allow, ts[another].deny
			continue
		}
		for _, st := range stocks {
			ts[i].allow = append(ts[i].allow, st.draw(rng)...)
		}
		if rng.Float64() < 0.05 {
			p := ts[i].allow[0]
			a := within(rng, p)
			ts[i].deny = []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}
		}
	}
	l.from("overlapping tenants", allowed(ts), "synthetic, by Zipf from common offices, clouds and VPN exits")
	return ts
}

// stock is what lists are drawn from: a share of the lists take a few items.
type stock struct {
	items       [][]netip.Prefix
	least, most int
	share       float64
	zipf        *rand.Zipf
}

func newStock(rng *rand.Rand, items [][]netip.Prefix, least, most int, share float64) stock {
	return stock{items, least, most, share, rand.NewZipf(rng, 1.1, 50, uint64(len(items)-1))}
}

func (st *stock) draw(rng *rand.Rand) []netip.Prefix {
	if rng.Float64() >= st.share {
		return nil
	}
	var drawn []netip.Prefix
	for range st.least + rng.IntN(st.most-st.least+1) {
		drawn = append(drawn, st.items[st.zipf.Uint64()]...)
	}
	return drawn
}

func chunks(prefixes []netip.Prefix, size int) [][]netip.Prefix {
	return slices.Collect(slices.Chunk(prefixes, size))
}
