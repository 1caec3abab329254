package datapath

import (
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go4.org/netipx"

	"github.com/postern-io/postern/pkg/policy"
)

// jury holds two datapaths, of which one has every list in the index and the
// other in the tries, against the law.
type jury struct {
	*testing.T
	table *policy.Table
	on    map[string]*Datapath
	asked int
}

func newJury(t *testing.T, s *policy.State) *jury {
	t.Helper()
	table, err := policy.Compile(s, policy.Host{}, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	j := &jury{T: t, table: table, on: map[string]*Datapath{}}
	for name, cfg := range bothAnswers {
		j.on[name] = newDatapathWith(t, cfg)
		enforce(t, j.on[name], table.Plan)
	}
	return j
}

// ask has all three judge a source at the endpoint with a number.
func (j *jury) ask(endpoint int, a netip.Addr) {
	want := uint32(delta(j.table.DecidePacket(j.table.State.Endpoints[endpoint], a).Allow))
	set, family := j.table.Plan.Records.At(endpoint+1).Tenant, familyOf(a)
	for name, d := range j.on {
		if err := d.gen.probe.ask(d.gen.lists.sets[set].words[family], family, words(a), want); err != nil {
			j.Fatalf("%s: %v", name, err)
		}
	}
	j.asked++
}

// boundaries asks at every address where a list turns, and the one behind it.
func (j *jury) boundaries() {
	for i := range j.table.State.Endpoints {
		set := j.table.Plan.Records.At(i + 1).Tenant
		for _, e := range set.V4.Ends {
			j.ask(i, form4{}.addr(e))
			j.ask(i, form4{}.addr(e+1))
		}
		for _, e := range set.V6.Ends {
			j.ask(i, e.Addr())
			j.ask(i, form6{}.next(e).Addr())
		}
	}
}

// random asks for n sources: all over, and close to where the list turns.
func (j *jury) random(r *rand.Rand, n int) {
	for range n {
		i := r.IntN(len(j.table.State.Endpoints))
		set := j.table.Plan.Records.At(i + 1).Tenant
		v4, v6 := set.V4.Ends, set.V6.Ends
		switch k := r.IntN(4); {
		case k == 0 && len(v4) > 0:
			j.ask(i, form4{}.addr(v4[r.IntN(len(v4))]+r.Uint32N(512)-256))
		case k == 1 && len(v6) > 0:
			e := v6[r.IntN(len(v6))]
			j.ask(i, policy.U128{Hi: e.Hi + r.Uint64N(8) - 4, Lo: r.Uint64()}.Addr())
		case k == 2:
			j.ask(i, policy.U128{Hi: 0x2000<<48 | r.Uint64N(1<<61), Lo: r.Uint64()}.Addr())
		default:
			j.ask(i, form4{}.addr(r.Uint32()))
		}
	}
}

// TestAgreement holds index, tries and Decide against each other: at all
// boundaries of the BGP table, of Azure and of 91,065 tenants, and at ten million
// random addresses.
func TestAgreement(t *testing.T) {
	tests := []struct {
		name   string
		state  func(*testing.T) *policy.State
		random int
	}{
		{"bgp", func(t *testing.T) *policy.State { return oneList(readRoutes(t)) }, 4_000_000},
		{"azure", func(t *testing.T) *policy.State { return oneList(readCloud(t, "azure")) }, 2_000_000},
		{"tenants", func(t *testing.T) *policy.State { return tenantState(t) }, 4_000_000},
	}
	seed := rand.Uint64()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Logf("seed %d", seed)
			j := newJury(t, tt.state(t))
			j.boundaries()
			boundaries := j.asked
			j.random(rand.New(rand.NewPCG(seed, 0)), tt.random)
			for name, d := range j.on {
				if err := d.gen.probe.flush(); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			t.Logf("%d boundaries and %d random addresses, no difference", boundaries, j.asked-boundaries)
		})
	}
}

func oneList(l *policy.List) *policy.State {
	return &policy.State{
		Tenants: policy.MapOf(map[string]*policy.Tenant{"t": {ID: "t", Lists: map[string]*policy.List{"*": l}}}),
		Endpoints: []*policy.Endpoint{{
			Name: "e", Tenants: []string{"t"}, Resource: "*", Ports: []policy.PortRange{{First: 443, Last: 443}},
			Destination: policy.Destination{Prefix: netip.PrefixFrom(destination(0), 32)},
		}},
	}
}

// readRoutes is the BGP table that comes with bart: 901,899 IPv4 and 160,147 IPv6
// prefixes that overlap.
func readRoutes(t *testing.T) *policy.List {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gaissmai/bart").Output()
	if err != nil {
		t.Fatalf("find bart's test data: %v", err)
	}
	path := filepath.Join(strings.TrimSpace(string(dir)), "internal/tests/testdata/prefixes.txt.gz")
	l := &policy.List{}
	for line := range unzipped(t, path) {
		p, err := netip.ParsePrefix(line)
		if err != nil {
			t.Fatal(err)
		}
		l.Entries = append(l.Entries, policy.Entry{Text: line, Range: netipx.RangeOfPrefix(p)})
	}
	if len(l.Entries) != 901_899+160_147 {
		t.Fatalf("%d routes", len(l.Entries))
	}
	return l
}
