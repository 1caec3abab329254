package datapath

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/postern-io/postern/pkg/policy"
	te "github.com/postern-io/postern/pkg/testenv"
)

// model is a plan as plain Go reads it: what the kernel must come to.
type model struct{ *policy.Plan }

// packet is a whole TCP or UDP packet, or one of a protocol without ports.
type packet struct {
	protocol uint16
	src, dst netip.Addr
	port     uint16
}

const (
	protoTCP = 6
	protoUDP = 17
	protoESP = 50
)

func (p packet) frame() []byte {
	var last te.Layer
	switch p.protocol {
	case protoTCP:
		last = tcp(p.port)
	case protoUDP:
		last = udp(p.port)
	default:
		last = data(p.protocol)
	}
	if p.src.Is4() {
		return from4(p.src, p.dst, last)
	}
	return from6(p.src, p.dst, last)
}

// judge is the packet's reason, and whether it passes.
func (m model) judge(p packet) (bpfReason, bool) {
	if m.Mode == policy.Off {
		return bpfReasonAGENT_OFF, true
	}
	class, none := m.Other, bpfReasonNO_ANY_ENDPOINT
	if p.protocol != protoESP {
		none = bpfReasonNO_ENDPOINT
		pc := m.port(p)
		if pc.Failsafe != nil && pc.Failsafe.Contains(p.src) {
			return bpfReasonFAILSAFE, true
		}
		class = pc.Class
	}
	i := m.find(class, p.dst)
	if i == 0 {
		return none, true
	}
	r := m.Records.At(i)
	if r.Mode == policy.Off {
		return bpfReasonENDPOINT_OFF, true
	}
	if reason := sets(r.Own, r.Tenant, p.src); reason != bpfReasonLISTED {
		return reason, r.Mode == policy.Monitor || m.Mode == policy.Monitor
	}
	if r.ShadowOwn != nil {
		return sets(r.ShadowOwn, r.ShadowTenant, p.src), true
	}
	return bpfReasonLISTED, true
}

func sets(own, tenant *policy.Set, src netip.Addr) bpfReason {
	switch {
	case !own.Contains(src):
		return bpfReasonNOT_LISTED
	case !tenant.Contains(src):
		return bpfReasonNOT_LISTED_TENANT
	}
	return bpfReasonLISTED
}

func (m model) port(p packet) policy.PortClass {
	classes := m.TCP
	if p.protocol == protoUDP {
		classes = m.UDP
	}
	for _, pc := range classes {
		if pc.First <= p.port && p.port <= pc.Last {
			return pc
		}
	}
	return policy.PortClass{}
}

func (m model) find(class int, dst netip.Addr) int {
	c := m.Classes[class]
	best := policy.Dest{Prefix: netip.PrefixFrom(dst, -1)}
	for _, d := range c.Dests {
		if d.Prefix.Contains(dst) && d.Prefix.Bits() > best.Prefix.Bits() {
			best = d
		}
	}
	switch {
	case best.Record != 0:
		return best.Record
	case c.Broadcast != 0 && (dst.IsMulticast() || dst == ip("255.255.255.255") || dst == ip("0.0.0.0")):
		return c.Broadcast
	}
	return c.Any
}

// dice makes policies of few addresses and ports, so that they meet.
type dice struct{ *rand.Rand }

func (d dice) one(of ...string) string { return of[d.IntN(len(of))] }

func (d dice) addr() netip.Addr {
	if d.IntN(3) == 0 {
		return ip(fmt.Sprintf("2001:db8::%x:%x", d.IntN(4), d.IntN(8)))
	}
	return netip.AddrFrom4([4]byte{198, 51, byte(d.IntN(4)), byte(d.IntN(8))})
}

func (d dice) prefix() string {
	a := d.addr()
	p, _ := a.Prefix(a.BitLen() - d.IntN(3)*d.IntN(5))
	return p.String()
}

func (d dice) list() *policy.List {
	var texts []string
	for range d.IntN(6) {
		texts = append(texts, d.one("", "", "!")+d.prefix())
	}
	l := listOf(texts...)
	l.State = policy.ListState(d.IntN(8) / 6 * d.IntN(3))
	return l
}

func (d dice) endpoint(name string, tenants []string) *policy.Endpoint {
	ep := &policy.Endpoint{
		Name: name, Protocol: policy.Protocol(d.IntN(3)), Resource: "*", AllTenants: d.IntN(3) == 0,
		Mode: policy.Mode(d.IntN(6) / 4 * d.IntN(3)), Unlisted: policy.Unlisted(d.IntN(3)),
	}
	if !ep.AllTenants {
		for _, tenant := range tenants {
			if d.IntN(2) == 0 {
				ep.Tenants = append(ep.Tenants, tenant)
			}
		}
	}
	switch to := d.IntN(8); {
	case to == 0:
		ep.Destination.Everything = true
	case to > 1:
		ep.Destination.Prefix = netip.MustParsePrefix(d.prefix()).Masked()
	}
	if ep.Protocol != policy.AnyProtocol {
		first := uint16(d.IntN(6))
		ep.Ports = []policy.PortRange{{First: first, Last: first + uint16(d.IntN(3))}}
		if d.IntN(8) == 0 {
			ep.Ports = []policy.PortRange{policy.AllPorts}
		}
	} else if !ep.Destination.Prefix.IsValid() {
		ep.Destination = policy.Destination{Prefix: netip.MustParsePrefix(d.prefix()).Masked()}
	}
	if d.IntN(2) == 0 {
		ep.Policies = d.list()
	}
	return ep
}

func (d dice) state() *policy.State {
	s := &policy.State{
		Mode: policy.Mode(d.IntN(10) / 8 * d.IntN(3)), FilteringOff: d.IntN(12) == 0,
	}
	if d.IntN(2) == 0 {
		s.System = map[string]*policy.List{"*": d.list()}
	}
	var tenants []string
	for i := range d.IntN(5) {
		id := fmt.Sprintf("t%d", i)
		tenants = append(tenants, id)
		s.Tenants = s.Tenants.With(id, &policy.Tenant{ID: id, Lists: map[string]*policy.List{"*": d.list()}})
	}
	for i := range d.IntN(8) {
		s.Endpoints = append(s.Endpoints, d.endpoint(fmt.Sprintf("e%d", i), tenants))
	}
	if d.IntN(2) == 0 {
		s.Failsafe = []policy.Failsafe{{
			Protocol: policy.Protocol(d.IntN(2)), Ports: []policy.PortRange{{First: 2, Last: 4}},
			From: prefixes(d.prefix()),
		}}
	}
	return s
}

func (d dice) packet() packet {
	p := packet{protocol: []uint16{protoTCP, protoUDP, protoESP}[d.IntN(3)], src: d.addr(), dst: d.addr(), port: uint16(d.IntN(9))}
	if p.src.Is4() != p.dst.Is4() {
		p.dst = p.src
	}
	if d.IntN(10) == 0 && p.protocol == protoUDP {
		p.dst = ip("255.255.255.255")
		if p.src.Is6() {
			p.dst = ip("ff02::1")
		}
	}
	return p
}

// edit is s with some of its lists written anew and all else the very same.
func (d dice) edit(s *policy.State) *policy.State {
	next := *s
	for id := range s.Tenants.All() {
		if d.IntN(2) == 0 {
			next.Tenants = next.Tenants.With(id, &policy.Tenant{ID: id, Lists: map[string]*policy.List{"*": d.list()}})
		}
	}
	if s.System != nil && d.IntN(4) == 0 {
		next.System = map[string]*policy.List{"*": d.list()}
	}
	return &next
}

// One random policy after another is put in force, each as a difference to the
// one before, and the kernel judges as plain Go does.
func TestRandomPlans(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := dice{rand.New(rand.NewPCG(seed, 0))}
	d := newDatapath(t)
	host := policy.Host{Local: prefixes("198.51.0.1/32", "198.51.1.0/30", "2001:db8::1:1/128")}
	var compiler policy.Compiler
	plans, reasons := 0, map[bpfReason]int{}
	s := dice.state()
	for range 400 {
		if s = dice.edit(s); dice.IntN(4) == 0 {
			s = dice.state()
		}
		table, err := compiler.Compile(s, host, time.Unix(1, 0))
		if err != nil {
			s = dice.state() // its endpoints collide
			continue
		}
		plans++
		enforce(t, d, table.Plan)
		for range 100 {
			p := dice.packet()
			want, pass := model{table.Plan}.judge(p)
			reasons[want]++
			if got, gotPass := verdict(t, d, p.frame()); got != want || gotPass != pass {
				t.Fatalf("plan %d, %+v: %v, passes %v; want %v, %v", plans, p, Reason(got), gotPass, Reason(want), pass)
			}
		}
	}
	t.Logf("%d plans", plans)
	for _, r := range []bpfReason{
		bpfReasonLISTED, bpfReasonNOT_LISTED, bpfReasonNOT_LISTED_TENANT, bpfReasonFAILSAFE, bpfReasonENDPOINT_OFF,
		bpfReasonNO_ENDPOINT, bpfReasonNO_ANY_ENDPOINT, bpfReasonAGENT_OFF,
	} {
		if reasons[r] == 0 {
			t.Errorf("no packet came to %v", Reason(r))
		}
	}
}

// verdict runs the program and finds the one reason whose counter moved.
func verdict(t testing.TB, d *Datapath, frame []byte) (bpfReason, bool) {
	t.Helper()
	before := tallies(t, d)
	ret, err := d.Program().Plain.Run(&ebpf.RunOptions{Data: frame})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range tallies(t, d) {
		if n != before[i] {
			return bpfReason(i) % bpfReasonREASONS, ret == xdpPass
		}
	}
	t.Fatal("no counter moved")
	return 0, false
}

func tallies(t testing.TB, d *Datapath) []uint64 {
	t.Helper()
	cpus := ebpf.MustPossibleCPU()
	keys, values := make([]uint32, 2*bpfReasonREASONS), make([]bpfTally, 2*int(bpfReasonREASONS)*cpus)
	var cursor ebpf.MapBatchCursor
	n, err := d.loader.shared[bpfMapReasons].BatchLookup(&cursor, keys, values, nil)
	if n != len(keys) {
		t.Fatalf("read %d counters: %v", n, err)
	}
	packets := make([]uint64, len(keys))
	for i := range keys {
		packets[keys[i]] = sum(values[i*cpus : (i+1)*cpus]).Packets
	}
	return packets
}
