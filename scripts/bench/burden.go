package main

import (
	"net/netip"
	"time"

	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/store"
)

// burden is a policy that a host carries, and how.
type burden struct {
	name   string
	ts     []tenant
	shared bool // one endpoint more, which serves all tenants
	by     lookup
}

// Names of burdens that goals are about.
const (
	tenantsByASN = "tenants by AS"
	longList     = "one list of 900,000"
)

func (bd burden) state() *policy.State {
	s := stateOf(bd.ts)
	if bd.shared {
		all := endpoint("all", netip.MustParseAddr("203.0.113.10"))
		all.AllTenants = true
		s.Endpoints = append(s.Endpoints, all)
	}
	return s
}

// stored is a directory with a store that holds s.
func (b *bench) stored(s *policy.State) string {
	dir := b.TempDir()
	db, err := store.OpenSnapshot(dir)
	b.Check(err)
	b.Check(db.Save(&policy.Revision{Number: 1, State: s}, time.Now()))
	b.Check(db.Close())
	return dir
}

// shifted are the prefixes in another part of the address space: as many, as far
// apart.
func shifted(prefixes []netip.Prefix) []netip.Prefix {
	next := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		a := p.Addr().AsSlice()
		a[0] ^= 1
		addr, _ := netip.AddrFromSlice(a)
		next[i] = netip.PrefixFrom(addr, p.Bits())
	}
	return next
}
