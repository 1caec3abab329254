package datapath

import (
	"testing"

	"github.com/cilium/ebpf"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-io/postern/pkg/policy"
	te "github.com/postern-io/postern/pkg/testenv"
)

// newDatapath is a datapath on a bpffs of the test's own, attached to nothing.
func newDatapath(t testing.TB) *Datapath {
	t.Helper()
	return newDatapathWith(t, Config{})
}

// bothAnswers are the configurations in which the index answers for every list,
// and the tries.
var bothAnswers = map[string]Config{"index": {}, "tries": {MaxIndexBytes: -1}}

func newDatapathWith(t testing.TB, cfg Config) *Datapath {
	t.Helper()
	te.Root(t)
	cfg.PinDir = te.BPFFS(t)
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

func enforce(t testing.TB, d *Datapath, p *policy.Plan) {
	t.Helper()
	if err := d.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// seen is what the program did with a packet, and what it counted.
type seen struct {
	Verdict   uint32
	Reasons   map[string]Tally
	WouldDrop map[string]Tally
}

// judge runs a program on a frame.
func judge(t testing.TB, d *Datapath, p *ebpf.Program, frame []byte) seen {
	t.Helper()
	before := counters(t, d)
	verdict, err := p.Run(&ebpf.RunOptions{Data: frame})
	if err != nil {
		t.Fatal(err)
	}
	after := counters(t, d)
	return seen{verdict, grown(before.Reasons, after.Reasons), grown(before.WouldDrop, after.WouldDrop)}
}

func counters(t testing.TB, d *Datapath) Counters {
	t.Helper()
	c, err := d.Counters()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func grown(before, after map[Reason]Tally) map[string]Tally {
	var m map[string]Tally
	for r, n := range after {
		if n == before[r] {
			continue
		}
		if m == nil {
			m = map[string]Tally{}
		}
		m[r.String()] = Tally{n.Packets - before[r].Packets, n.Bytes - before[r].Bytes}
	}
	return m
}

// expected is what a row must come to with an agent in a mode.
func (r row) expected(mode policy.Mode) seen {
	reason, one := Reason(r.reason), Tally{1, uint64(len(r.frame))}
	switch {
	case mode == policy.Off:
		return seen{xdpPass, map[string]Tally{"agent-off": one}, nil}
	case mode == policy.Monitor && reason.Drop():
		return seen{xdpPass, nil, map[string]Tally{reason.String(): one}}
	case reason.Drop():
		return seen{xdpDrop, map[string]Tally{reason.String(): one}, nil}
	}
	return seen{xdpPass, map[string]Tally{reason.String(): one}, nil}
}

func TestPacketPath(t *testing.T) {
	for _, mode := range []policy.Mode{policy.Enforce, policy.Monitor, policy.Off} {
		t.Run(mode.String(), func(t *testing.T) {
			d := newDatapath(t)
			s := rowState()
			s.Mode = mode
			enforce(t, d, compile(t, s, rowHost))
			for form, program := range map[string]*ebpf.Program{"frags": d.Program().Frags, "plain": d.Program().Plain} {
				t.Run(form, func(t *testing.T) {
					for _, r := range rows() {
						t.Run(r.name, func(t *testing.T) {
							if diff := cmp.Diff(r.expected(mode), judge(t, d, program, r.frame)); diff != "" {
								t.Errorf("-want +got:\n%s", diff)
							}
						})
					}
				})
			}
		})
	}
}

// TestRowsNameEveryReason holds the table to its promise: what the program can
// find is in it, or in a test that says so.
func TestRowsNameEveryReason(t *testing.T) {
	covered := map[Reason]bool{
		Reason(bpfReasonAGENT_OFF):      true, // TestPacketPath, mode off
		Reason(bpfReasonMPLS):           true, // TestMPLSPasses
		Reason(bpfReasonPATH_MTU_LIMIT): true, // TestPathMTULimit
		Reason(bpfReasonBROKEN):         true, // TestOutOfRangeDrops
	}
	for _, r := range rows() {
		covered[Reason(r.reason)] = true
	}
	for _, r := range Reasons() {
		if !covered[r] {
			t.Errorf("no row comes to %v", r)
		}
	}
}

func TestReasonNames(t *testing.T) {
	names := map[string]Reason{}
	for _, r := range Reasons() {
		if other, taken := names[r.String()]; taken || r.String() == "" || r.Help() == "" {
			t.Errorf("reason %d: name %q, help %q, name also of %d", r, r, r.Help(), other)
		}
		names[r.String()] = r
	}
}

func TestMPLSPasses(t *testing.T) {
	d := newDatapath(t)
	s := rowState()
	s.PassMPLS = true
	enforce(t, d, compile(t, s, rowHost))
	r := row{"mpls", frame(te.Data{Protocol: 0x8847, Bytes: make([]byte, 46)}), bpfReasonMPLS}
	if diff := cmp.Diff(r.expected(policy.Enforce), judge(t, d, d.Program().Plain, r.frame)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// An endpoint in monitor drops nothing, neither for an address nor for a packet
// that it cannot read.
func TestMonitoredEndpoint(t *testing.T) {
	d := newDatapath(t)
	enforce(t, d, compile(t, rowState(), rowHost))
	for _, r := range []row{
		{"listed", from4(listed4, watched4, tcp(443)), bpfReasonLISTED},
		{"alien", from4(alien4, watched4, tcp(443)), bpfReasonNOT_LISTED_TENANT},
		{"truncated", cut(from4(alien4, watched4, tcp(443)), 14+20+8), bpfReasonTRUNCATED},
		{"later-fragment", frame(te.IPv4{Src: alien4, Dst: watched4, Offset: 1480}, data(6)), bpfReasonFRAGMENT},
	} {
		t.Run(r.name, func(t *testing.T) {
			if diff := cmp.Diff(r.expected(policy.Monitor), judge(t, d, d.Program().Plain, r.frame)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	want := EndpointCounter{Pass: Tally{1, 54}, WouldDrop: Tally{3, 54 + 42 + 98}}
	if diff := cmp.Diff(want, counters(t, d).Endpoints["watched4"]); diff != "" {
		t.Errorf("endpoint's counters: -want +got:\n%s", diff)
	}
}

// A list in monitor refuses nobody and is counted; the other lists go on.
func TestMonitoredList(t *testing.T) {
	d := newDatapath(t)
	s := rowState()
	s.Tenants.Get("acme").Lists["*"].State = policy.ListMonitor
	enforce(t, d, compile(t, s, rowHost))
	for _, tt := range []struct {
		row
		mode policy.Mode
	}{
		{row{"listed", from4(listed4, web4, tcp(443)), bpfReasonLISTED}, policy.Enforce},
		{row{"alien-to-the-tenant", from4(alien4, web4, tcp(443)), bpfReasonNOT_LISTED_TENANT}, policy.Monitor},
		{row{"denied-by-the-endpoint", from4(unwanted4, web4, tcp(443)), bpfReasonNOT_LISTED}, policy.Enforce},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.expected(tt.mode), judge(t, d, d.Program().Plain, tt.frame)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestPathMTULimit(t *testing.T) {
	d := newDatapath(t)
	enforce(t, d, compile(t, rowState(), rowHost))
	const sent = 100_000
	tooBig := from4(alien4, web4, te.ICMP{Type: 3, Code: 4}, quote4(web4, listed4))
	if _, _, err := d.Program().Plain.Benchmark(tooBig, sent, nil); err != nil {
		t.Fatal(err)
	}
	c := counters(t, d)
	passed, limited := c.Reasons[Reason(bpfReasonPATH_MTU)].Packets, c.Reasons[Reason(bpfReasonPATH_MTU_LIMIT)].Packets
	if passed+limited != sent || passed == 0 || passed > sent/2 {
		t.Errorf("of %d packets %d passed and %d were over the limit", sent, passed, limited)
	}
}

// A packet of several buffers is as long as all of them.
func TestSeveralBuffers(t *testing.T) {
	d := newDatapath(t)
	enforce(t, d, compile(t, rowState(), rowHost))
	if d.Program().Frags == nil {
		t.Skip("the kernel has no frames of several buffers")
	}
	payload := te.Data{Bytes: make([]byte, 9000)}
	whole := from4(listed4, web4, tcp(443), payload)
	for _, r := range []row{
		{"listed", whole, bpfReasonLISTED},
		{"listed-ipv6", from6(listed6, web6, tcp(443), payload), bpfReasonLISTED},
		{"alien", from4(alien4, web4, tcp(443), payload), bpfReasonNOT_LISTED_TENANT},
		{"longer-than-its-buffers", length(whole, ipv4Length, uint16(len(whole)-14+1)), bpfReasonTRUNCATED},
	} {
		t.Run(r.name, func(t *testing.T) {
			if diff := cmp.Diff(r.expected(policy.Enforce), judge(t, d, d.Program().Frags, r.frame)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// What the agent never writes, the program does not trust.
func TestOutOfRangeDrops(t *testing.T) {
	r := row{"alien", from4(alien4, web4, tcp(443)), bpfReasonBROKEN}
	far := uint32(1 << 20)
	for name, spoil := range map[string]func(bank){
		"class":  func(b bank) { b.ports[443].Class = far },
		"place":  func(b bank) { b.classes[b.ports[443].Class].First[v4] = far },
		"record": func(b bank) { clear(b.exact); b.classes[b.ports[443].Class].Any = far },
		"shadow": func(b bank) {
			for i := range b.exact {
				b.exact[i].Record = bpfRecord{
					Own: wordOpen, Tenant: wordOpen, Shadow: far, Placed: 1, Key4: b.exact[i].Record.Key4,
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatapath(t)
			enforce(t, d, compile(t, rowState(), rowHost))
			spoil(d.gen.bank(d.gen.liveBank()))
			if diff := cmp.Diff(r.expected(policy.Enforce), judge(t, d, d.Program().Plain, r.frame)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A word that the program does not know, or whose index is out of range, admits
// nobody.
func TestUnknownWordDenies(t *testing.T) {
	const nowhere = 0xffffffff<<32 | 63<<9 // as a root, of one slot
	d := newDatapath(t)
	enforce(t, d, compile(t, rowState(), rowHost))
	for kind := range uint64(256) {
		if bpfKind(kind) == bpfKindOPEN {
			continue
		}
		b := d.gen.bank(d.gen.liveBank())
		for i := range b.exact {
			b.exact[i].Record.Own = nowhere | kind
		}
		r := row{"listed", from4(listed4, web4, tcp(443)), bpfReasonNOT_LISTED}
		if diff := cmp.Diff(r.expected(policy.Enforce), judge(t, d, d.Program().Plain, r.frame)); diff != "" {
			t.Fatalf("kind %d: -want +got:\n%s", kind, diff)
		}
	}
}
