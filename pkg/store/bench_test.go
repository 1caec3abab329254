package store_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/audit"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/store"
)

const manyTenants = 91_065

func tenantPlace(i int) policy.Place {
	return policy.Place{Scope: policy.ScopeTenant, Tenant: strconv.Itoa(i), Resource: "*"}
}

// eight is a list as most tenants have them, of which the last entry differs by n.
func eight(tb testing.TB, i, n int) *policy.List {
	l := &policy.List{}
	by := &policy.Stamp{Author: "ann", Created: time.Unix(int64(n), 0).UTC(), Modified: time.Unix(int64(n), 0).UTC()}
	for j := range 8 {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), byte(j)})
		if j == 7 {
			a = netip.AddrFrom4([4]byte{11, byte(n >> 16), byte(n >> 8), byte(n)})
		}
		r, err := addr.Parse(a.String())
		if err != nil {
			tb.Fatal(err)
		}
		l.Entries = append(l.Entries, policy.Entry{Text: a.String(), Range: r, By: by})
	}
	return l
}

// BenchmarkCommit changes one entry of one list, by how many lists there are.
func BenchmarkCommit(b *testing.B) {
	for _, tenants := range []int{100, manyTenants} {
		b.Run(fmt.Sprintf("tenants-%d", tenants), func(b *testing.B) {
			s, err := store.Open(b.TempDir(), store.Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			all := policy.Image{Lists: map[policy.Place]*policy.List{}}
			for i := range tenants {
				all.Lists[tenantPlace(i)] = eight(b, i, 0)
			}
			if err := s.Commit(&policy.Commit{Number: 1}, all, audit.Note{}); err != nil {
				b.Fatal(err)
			}
			var took []time.Duration
			line := make([]byte, 600)
			for n := 2; b.Loop(); n++ {
				i := n * 7919 % tenants
				at, l := tenantPlace(i), eight(b, i, n)
				c := &policy.Commit{
					Number: uint64(n), Time: time.Now(), Author: policy.Author{Name: "ann", Key: "k1"}, Origin: "api",
					Names:  []string{at.String()},
					Before: policy.Image{Lists: map[policy.Place]*policy.List{at: eight(b, i, 0)}},
				}
				start := time.Now()
				err := s.Commit(c, policy.Image{Lists: map[policy.Place]*policy.List{at: l}}, audit.Note{Seq: uint64(n), Line: line})
				took = append(took, time.Since(start))
				if err != nil {
					b.Fatal(err)
				}
				if n%100 == 0 { // as the journal does
					if err := s.Journal().Trim(uint64(n)); err != nil {
						b.Fatal(err)
					}
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkOpen opens and loads that many lists.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s, err := store.Open(dir, store.Config{})
	if err != nil {
		b.Fatal(err)
	}
	all := policy.Image{Lists: map[policy.Place]*policy.List{}}
	for i := range manyTenants {
		all.Lists[tenantPlace(i)] = eight(b, i, 0)
	}
	if err := s.Commit(&policy.Commit{Number: 1}, all, audit.Note{}); err != nil {
		b.Fatal(err)
	}
	s.Close()
	for b.Loop() {
		start := time.Now()
		s, err := store.Open(dir, store.Config{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds()*1000, "open-ms")
		if _, err := s.Load(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds()*1000, "open-and-load-ms")
		s.Close()
	}
	b.ReportMetric(0, "ns/op")
}
