package main

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/postern-io/postern/pkg/datapath"
	"github.com/postern-io/postern/pkg/policy"
	"github.com/postern-io/postern/pkg/store"
	"github.com/postern-io/postern/pkg/testenv"
)

// updates measures what it takes to start with a policy, to change one entry of
// it, and to replace all of it.
func (b *bench) updates() {
	byASN := b.lists.byASN(b.Stage)
	if b.Quick {
		b.act(func(b *bench) { b.carry(burden{tenantsByASN, byASN, false, byIndex}) })
		return
	}
	long := []tenant{{id: "t", allow: scattered(rand.New(rand.NewPCG(9, 9)), most)}}
	for _, bd := range []burden{
		{tenantsByASN, byASN, false, byIndex},
		{tenantsByASN + ", in tries", byASN, false, byTrie},
		{tenantsByASN + ", and all at one endpoint", byASN, true, byIndex},
		{"overlapping tenants", b.lists.overlapping(b.Stage), false, byIndex},
		{longList, long, false, byIndex},
		{longList + ", in tries", long, false, byTrie},
	} {
		b.act(func(b *bench) { b.carry(bd) })
	}
}

// host is one that carries a burden.
type host struct {
	*bench
	burden
	cgroup
	db       *store.Snapshot
	compiler policy.Compiler
	datapath *datapath.Datapath
	rev      *policy.Revision
}

func (b *bench) carry(bd burden) {
	bd.ts = slices.Clone(bd.ts)
	h := &host{bench: b, burden: bd, cgroup: newCgroup(b.Stage)}
	dir := b.stored(bd.state())
	before := h.resident()
	b.progress("updates: %s: start", bd.name)
	h.coldStart(dir)
	h.report("memory", "kernel, MB", once(h.settled()/1e6))
	h.report("memory", "resident, MB", once((h.resident()-before)/1e6))
	u := h.datapath.Usage()
	h.report("memory", "trie entries", once(float64(u.Entries)))
	h.report("memory", "lists", once(float64(u.Lists)))
	b.progress("updates: %s: %d changes of an entry", bd.name, b.edits)
	h.editEntries()
	b.progress("updates: %s: %d replacements of everything", bd.name, b.replacements)
	h.replaceAll()
}

func (h *host) report(section, series string, s sample) { h.add(section, h.name, 0, series, s) }

// coldStart goes from what is stored to what is enforced.
func (h *host) coldStart(dir string) {
	var err error
	pair, _ := newPair(h.Stage, netip.MustParseAddr("203.0.113.10"))
	pins := testenv.BPFFS(h.Stage)
	start := time.Now()
	step := func(series string) {
		h.report("start", series, once(time.Since(start).Seconds()))
	}
	h.db, err = store.OpenSnapshot(dir)
	h.Check(err)
	h.Cleanup(func() { _ = h.db.Close() })
	h.rev = h.db.Revision()
	step("read, s")
	table, err := h.compiler.Compile(h.rev.State, policy.Host{}, time.Now())
	h.Check(err)
	step("compiled, s")
	h.datapath = h.posternAt(h.by, pins)
	h.Check(h.datapath.Apply(h.Context(), table.Plan))
	step("loaded and probed, s")
	pair.NS.Do(func() { err = h.datapath.Attach(h.Context(), []string{pair.Name}) })
	h.Check(err)
	step("attached, s")
}

// editsFor is how long entries are changed at most, however many are asked for.
const editsFor = 15 * time.Second

// editEntries changes one entry again and again, each time of another tenant,
// and the last change has settled by then.
func (h *host) editEntries() {
	var compile, apply, save, all []float64
	begun := time.Now()
	for tick, i := time.NewTicker(50*time.Millisecond), 0; i < h.edits && time.Since(begun) < editsFor; i++ {
		<-tick.C
		next := h.edited(i)
		c, a, s := h.enforce(next)
		compile, apply, save = append(compile, c), append(apply, a), append(save, s)
		all = append(all, c+a+s)
	}
	for _, part := range []struct {
		name   string
		values []float64
	}{{"compile", compile}, {"apply", apply}, {"save", save}, {"all", all}} {
		h.report("update", part.name+" p50, ms", newSample(part.values))
		slices.Sort(part.values)
		h.report("update", part.name+" p99, ms", once(quantile(part.values, 0.99)))
	}
}

// edited is the state with an entry more in one tenant's list, or one less where
// it is the same tenant's turn again.
func (h *host) edited(turn int) *policy.State {
	next := *h.rev.State
	of := h.ts[turn*7919%len(h.ts)]
	of.allow = append(slices.Clone(of.allow), netip.PrefixFrom(addr4(198<<24|18<<16|uint32(turn)), 32))
	next.Tenants = next.Tenants.With(of.id, &policy.Tenant{ID: of.id, Lists: of.lists()})
	return &next
}

// enforce puts s in force and keeps it, and returns the milliseconds of each.
func (h *host) enforce(s *policy.State) (compile, apply, save float64) {
	rev := &policy.Revision{Number: h.rev.Number + 1, State: s}
	start := time.Now()
	lap := func() float64 {
		now := time.Now()
		defer func() { start = now }()
		return float64(now.Sub(start).Nanoseconds()) / 1e6
	}
	table, err := h.compiler.Compile(s, policy.Host{}, time.Now())
	h.Check(err)
	compile = lap()
	h.Check(h.datapath.Apply(h.Context(), table.Plan))
	apply = lap()
	h.Check(h.db.Save(rev, time.Now()))
	h.rev = rev
	return compile, apply, lap()
}

// replaceAll replaces every list by one of the same shape somewhere else.
func (h *host) replaceAll() {
	var took, peak []float64
	for range h.replacements {
		for i := range h.ts {
			h.ts[i].allow, h.ts[i].deny = shifted(h.ts[i].allow), shifted(h.ts[i].deny)
		}
		next := *h.rev.State
		next.Tenants = stateOf(h.ts).Tenants
		most := h.peak(func() {
			compile, apply, _ := h.enforce(&next)
			took = append(took, compile+apply)
		})
		peak = append(peak, most/1e6)
		h.settled()
	}
	h.report("update", "all replaced, ms", newSample(took))
	h.report("memory", "kernel while all is replaced, MB", newSample(peak))
}
