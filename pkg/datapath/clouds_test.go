package datapath

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/postern-io/postern/pkg/addr"
	"github.com/postern-io/postern/pkg/policy"
)

// clouds are the tenants, each with the files its list comes from.
var clouds = map[string][]string{
	"aws":    {"aws-v4.txt", "aws-v6.txt"},
	"azure":  {"azure.txt"},
	"google": {"google.txt"},
}

// cloudState gives each cloud an endpoint of its own on an IPv4 and an IPv6
// address, and all of them together one more.
func cloudState(t *testing.T) *policy.State {
	t.Helper()
	s := &policy.State{}
	endpoint := func(name, at string, tenants ...string) {
		a := ip(at)
		s.Endpoints = append(s.Endpoints, &policy.Endpoint{
			Name: name, Resource: policy.AnyResource, Tenants: tenants, Ports: []policy.PortRange{{First: 443, Last: 443}},
			Destination: policy.Destination{Prefix: netip.PrefixFrom(a, a.BitLen())},
		})
	}
	for i, tenant := range []string{"aws", "azure", "google"} {
		s.Tenants = s.Tenants.With(tenant, &policy.Tenant{ID: tenant, Lists: map[string]*policy.List{policy.AnyResource: readCloud(t, tenant)}})
		n := string(rune('1' + i))
		endpoint(tenant+"-v4", "203.0.113."+n, tenant)
		endpoint(tenant+"-v6", "2001:db8::"+n, tenant)
	}
	endpoint("all-v4", "203.0.113.9", "aws", "azure", "google")
	endpoint("all-v6", "2001:db8::9", "aws", "azure", "google")
	return s
}

func readCloud(t *testing.T, tenant string) *policy.List {
	t.Helper()
	l := &policy.List{}
	for _, file := range clouds[tenant] {
		text, err := os.ReadFile("../../testdata/clouds/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			r, err := addr.Parse(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			l.Entries = append(l.Entries, policy.Entry{Text: line, Range: r})
		}
	}
	return l
}

// court has the kernel and the law judge the same sources.
type court struct {
	*testing.T
	table   *policy.Table
	program *ebpf.Program
	frames  map[*policy.Endpoint][]byte
	judged  int
	allowed int
}

func newCourt(t *testing.T, s *policy.State) *court {
	t.Helper()
	d := newDatapath(t)
	table, err := policy.Compile(s, policy.Host{}, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	enforce(t, d, table.Plan)
	c := &court{T: t, table: table, program: d.Program().Plain, frames: map[*policy.Endpoint][]byte{}}
	for _, ep := range s.Endpoints {
		to := ep.Destination.Prefix.Addr()
		c.frames[ep] = packet{protocol: protoTCP, src: to, dst: to, port: 443}.frame()
	}
	return c
}

// judge compares one source at every endpoint of its family that serves a
// tenant, and reports whether the kernel let it pass there.
func (c *court) judge(src netip.Addr, tenant string) bool {
	c.Helper()
	passed := true
	for ep, frame := range c.frames {
		if !ep.Serves(tenant) || ep.Destination.Prefix.Addr().BitLen() != src.BitLen() {
			continue
		}
		const ether, src4, src6 = 14, 12, 8
		if src.Is4() {
			copy(frame[ether+src4:], src.AsSlice())
		} else {
			copy(frame[ether+src6:], src.AsSlice())
		}
		ret, err := c.program.Run(&ebpf.RunOptions{Data: frame})
		if err != nil {
			c.Fatal(err)
		}
		want := c.table.DecidePacket(ep, src).Allow
		if (ret == xdpPass) != want {
			c.Fatalf("%v at %s: the kernel passes it = %v, the law = %v", src, ep.Name, ret == xdpPass, want)
		}
		c.judged++
		if want {
			c.allowed++
		}
		passed = passed && want
	}
	return passed
}

// TestMillionSources draws half of a million sources from the lists of three
// clouds and half from everywhere, and takes the edges of every entry: first and
// last, one before and one after.
func TestMillionSources(t *testing.T) {
	const sources = 1_000_000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	s := cloudState(t)
	c := newCourt(t, s)
	names := []string{"aws", "azure", "google"}
	for _, tenant := range names {
		for _, e := range s.Tenants.Get(tenant).Lists[policy.AnyResource].Entries {
			if !c.judge(e.Range.From(), tenant) || !c.judge(e.Range.To(), tenant) {
				t.Errorf("entry %s of %s does not admit its ends", e.Text, tenant)
			}
			for _, beside := range []netip.Addr{e.Range.From().Prev(), e.Range.To().Next()} {
				if beside.IsValid() && !beside.IsLoopback() {
					c.judge(beside, tenant)
				}
			}
		}
	}
	for i := range sources {
		tenant := names[i%len(names)]
		entries := s.Tenants.Get(tenant).Lists[policy.AnyResource].Entries
		e := entries[rng.IntN(len(entries))]
		src := drawFrom(rng, e.Range)
		if i%2 == 1 {
			src = drawAnywhere(rng, e.Range.From().Is4())
		}
		c.judge(src, tenant)
	}
	t.Logf("%d sources judged %d times, %d allowed: 0 differences", sources, c.judged, c.allowed)
	if c.allowed == 0 || c.allowed == c.judged {
		t.Errorf("%d of %d allowed: nothing was compared", c.allowed, c.judged)
	}
}

// drawFrom draws an address of a range; of a wide IPv6 one, its low 64 bits and
// the bits above them that a prefix of the list leaves free.
func drawFrom(rng *rand.Rand, r addr.Range) netip.Addr {
	p, ok := r.Prefix()
	if !ok {
		return r.From()
	}
	a := drawAnywhere(rng, p.Addr().Is4()).AsSlice()
	keep := p.Addr().AsSlice()
	for bit := range p.Bits() {
		mask := byte(0x80) >> (bit % 8)
		a[bit/8] = a[bit/8]&^mask | keep[bit/8]&mask
	}
	drawn, _ := netip.AddrFromSlice(a)
	return drawn
}

// drawAnywhere draws from all that a wire may carry, mostly near where the
// clouds' IPv6 lies, or no draw would ever come close to a list.
func drawAnywhere(rng *rand.Rand, is4 bool) netip.Addr {
	if is4 {
		for {
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], rng.Uint32())
			if a := netip.AddrFrom4(b); !a.IsLoopback() {
				return a
			}
		}
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], 0x2001_0000_0000_0000|rng.Uint64()>>8)
	if rng.IntN(2) == 0 {
		binary.BigEndian.PutUint16(b[:], 0x2600|uint16(rng.IntN(16)))
	}
	binary.BigEndian.PutUint64(b[8:], rng.Uint64())
	return netip.AddrFrom16(b)
}
