package datapath

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go4.org/netipx"

	"github.com/postern-io/postern/pkg/policy"
	te "github.com/postern-io/postern/pkg/testenv"
)

// tenantState has an endpoint on an address of its own for each tenant of the
// gzipped file of lines "tenant<TAB>prefix" that POSTERN_LISTS names; where it
// names none, for each of as many tenants made up, with lists of like sizes.
func tenantState(t testing.TB) *policy.State {
	t.Helper()
	s := &policy.State{}
	add := func(id string, prefix netip.Prefix) {
		tenant := s.Tenants.Get(id)
		if tenant == nil {
			tenant = &policy.Tenant{ID: id, Lists: map[string]*policy.List{"*": {}}}
			s.Tenants = s.Tenants.With(id, tenant)
			s.Endpoints = append(s.Endpoints, &policy.Endpoint{
				Name: "e" + id, Tenants: []string{id}, Resource: "*",
				Ports:       []policy.PortRange{{First: 443, Last: 443}},
				Destination: policy.Destination{Prefix: netip.PrefixFrom(destination(len(s.Endpoints)), 32)},
			})
		}
		list := tenant.Lists["*"]
		list.Entries = append(list.Entries, policy.Entry{Text: prefix.String(), Range: netipx.RangeOfPrefix(prefix)})
	}
	if path := os.Getenv("POSTERN_LISTS"); path != "" {
		readTenants(t, path, add)
	} else {
		makeUpTenants(add)
	}
	return s
}

func readTenants(t testing.TB, path string, add func(id string, p netip.Prefix)) {
	t.Helper()
	for line := range unzipped(t, path) {
		id, cidr, _ := strings.Cut(line, "\t")
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil {
			t.Fatal(err)
		}
		add(id, prefix)
	}
}

// unzipped are the lines of a gzipped file.
func unzipped(t testing.TB, path string) iter.Seq[string] {
	t.Helper()
	return func(yield func(string) bool) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		text, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(text)
		for lines.Scan() {
			if !yield(lines.Text()) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// makeUpTenants has a tenant in two with two prefixes at most, one in a hundred
// with more than 80, and one with nearly ten thousand.
func makeUpTenants(add func(id string, p netip.Prefix)) {
	const tenants, most = 91_065, 9_912
	r := rand.New(rand.NewPCG(1, 1))
	for i := range tenants {
		n := min(int(1.2/math.Pow(1-r.Float64(), 0.95)), most)
		for range n {
			if r.IntN(4) > 0 {
				add(strconv.Itoa(i), netip.PrefixFrom(form4{}.addr(1<<24+r.Uint32N(222<<24)), 20+r.IntN(13)).Masked())
			} else {
				hi := 0x2000<<48 | r.Uint64N(1<<61)
				add(strconv.Itoa(i), netip.PrefixFrom(policy.U128{Hi: hi}.Addr(), 29+r.IntN(36)).Masked())
			}
		}
	}
}

func destination(i int) netip.Addr {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], 100<<24|uint32(i))
	return netip.AddrFrom4(a)
}

// BenchmarkTenants is a cold start with every tenant, and then one entry changed.
func BenchmarkTenants(b *testing.B) {
	te.Root(b)
	s := tenantState(b)
	var compiler policy.Compiler
	start := time.Now()
	table, err := compiler.Compile(s, policy.Host{}, time.Unix(1, 0))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(start).Seconds(), "s-compile")
	for b.Loop() {
		group := newCgroup(b)
		start = time.Now()
		var d *Datapath
		group.within(b, func() {
			d = newDatapath(b)
			enforce(b, d, table.Plan)
		})
		b.ReportMetric(time.Since(start).Seconds(), "s-load+probe")
		b.ReportMetric(float64(group.kernelBytes(b))/1e6, "MB-kernel")
		u := d.Usage()
		b.ReportMetric(float64(u.KernelBytes)/1e6, "MB-estimated")
		b.ReportMetric(float64(u.Entries), "entries")
		b.ReportMetric(float64(u.Lists), "lists")
		b.ReportMetric(changeOne(b, d, &compiler, s).Seconds()*1e3, "ms-one-entry")
		b.ReportMetric(float64(lookup(b, d).Nanoseconds()), "ns-packet")
	}
}

// changeOne replaces one tenant's list, again and again, and returns the median.
func changeOne(b *testing.B, d *Datapath, compiler *policy.Compiler, s *policy.State) time.Duration {
	b.Helper()
	var took []time.Duration
	for i := range 21 {
		next := *s
		id := s.Endpoints[i].Tenants[0]
		tenant := *s.Tenants.Get(id)
		list := *tenant.Lists["*"]
		list.Entries = append(list.Entries[:len(list.Entries):len(list.Entries)],
			policy.Entry{Text: "203.0.113.7", Range: netipx.IPRangeFrom(ip("203.0.113.7"), ip("203.0.113.7"))})
		tenant.Lists = map[string]*policy.List{"*": &list}
		next.Tenants = next.Tenants.With(id, &tenant)
		table, err := compiler.Compile(&next, policy.Host{}, time.Unix(1, 0))
		if err != nil {
			b.Fatal(err)
		}
		if err := d.awaitSettled(b.Context()); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		enforce(b, d, table.Plan)
		took = append(took, time.Since(start))
		s = &next
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// lookup is a packet's time in the program, of refused packets to one destination
// after another.
func lookup(b *testing.B, d *Datapath) time.Duration {
	b.Helper()
	var total time.Duration
	const destinations, repeat = 200, 2000
	for i := range destinations {
		frame := from4(alien4, destination(i*401%80000), tcp(443))
		_, took, err := d.Program().Plain.Benchmark(frame, repeat, nil)
		if err != nil {
			b.Fatal(err)
		}
		total += took
	}
	return total / destinations
}

// cgroup is a memory cgroup of the benchmark's own, of either version: what the
// kernel keeps for BPF shows there and nowhere else in full.
type cgroup struct{ dir, usage string }

func newCgroup(b *testing.B) cgroup {
	b.Helper()
	g := cgroup{dir: "/sys/fs/cgroup/memory", usage: "memory.kmem.usage_in_bytes"}
	if _, err := os.Stat(g.dir); err != nil {
		g = cgroup{dir: "/sys/fs/cgroup", usage: "memory.current"}
	}
	g.dir = filepath.Join(g.dir, fmt.Sprintf("postern-bench-%d-%d", os.Getpid(), time.Now().UnixNano()))
	if err := os.Mkdir(g.dir, 0o700); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.Remove(g.dir); err != nil {
			b.Logf("remove %s: %v", g.dir, err)
		}
	})
	return g
}

// within runs f with the whole process in g: a map is charged to whom made it.
func (g cgroup) within(b *testing.B, f func()) {
	b.Helper()
	g.move(b, g.dir)
	defer g.move(b, filepath.Dir(g.dir))
	f()
}

func (g cgroup) move(b *testing.B, to string) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(to, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		b.Fatal(err)
	}
}

func (g cgroup) kernelBytes(b *testing.B) int {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, g.usage))
	if err != nil {
		b.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		b.Fatal(err)
	}
	return n
}
