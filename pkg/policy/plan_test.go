package policy

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern-io/postern/pkg/addr"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// record is the record a packet meets: what the kernel's lookups must find.
func (p *Plan) record(class int, dst netip.Addr) *Record {
	if class == 0 {
		return nil
	}
	c := p.Classes[class]
	best, found := Dest{}, false
	for _, d := range c.Dests {
		if d.Prefix.Contains(dst) && (!found || d.Prefix.Bits() > best.Prefix.Bits()) {
			best, found = d, true
		}
	}
	switch {
	case found:
		return p.nth(best.Record)
	case c.Broadcast != 0 && (dst.IsMulticast() || dst == netip.MustParseAddr("255.255.255.255")):
		return p.nth(c.Broadcast)
	}
	return p.nth(c.Any)
}

func (p *Plan) nth(record int) *Record {
	return p.Records.At(record)
}

func (p *Plan) class(proto Protocol, port uint16) int {
	ports := map[Protocol][]PortClass{TCP: p.TCP, UDP: p.UDP}[proto]
	if proto == AnyProtocol {
		return p.Other
	}
	i, ok := slices.BinarySearchFunc(ports, port, func(pc PortClass, port uint16) int {
		switch {
		case pc.Last < port:
			return -1
		case pc.First > port:
			return 1
		}
		return 0
	})
	if !ok {
		return 0
	}
	return ports[i].Class
}

func (r *Record) admits(src netip.Addr) bool { return r.Own.Contains(src) && r.Tenant.Contains(src) }

// world draws addresses from so small a part of the space that entries, hosts
// and sources meet.
type world struct{ *rapid.T }

func (w world) addr(label string) netip.Addr {
	n := rapid.Uint8().Draw(w.T, label)
	if rapid.Bool().Draw(w.T, label+"-is-6") {
		b := netip.MustParseAddr("2001:db8::").As16()
		b[15] = n
		return netip.AddrFrom16(b)
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 10<<24|uint32(n))
	return netip.AddrFrom4(b)
}

func (w world) prefix(label string) netip.Prefix {
	a := w.addr(label)
	return netip.PrefixFrom(a, a.BitLen()-rapid.IntRange(0, 4).Draw(w.T, label+"-bits")).Masked()
}

func (w world) entry() Entry {
	from, to := w.addr("from"), w.addr("to")
	if from.BitLen() != to.BitLen() {
		to = from
	}
	if to.Less(from) {
		from, to = to, from
	}
	e := Entry{
		Text: from.String() + "-" + to.String(), Action: rapid.SampledFrom([]Action{Allow, Allow, Deny}).Draw(w.T, "action"),
		Disabled: rapid.IntRange(0, 5).Draw(w.T, "disabled") == 0,
	}
	e.Range, _ = addr.Parse(e.Text)
	if !e.Range.IsValid() {
		w.Fatalf("range %q", e.Text)
	}
	if rapid.IntRange(0, 3).Draw(w.T, "expires") == 0 {
		e.Expires = noon.Add(time.Duration(rapid.IntRange(-1, 1).Draw(w.T, "when")) * time.Hour)
	}
	return e
}

func (w world) list() *List {
	if rapid.IntRange(0, 3).Draw(w.T, "no-list") == 0 {
		return nil
	}
	return &List{
		State:   rapid.SampledFrom([]ListState{ListOn, ListOn, ListOn, ListMonitor, ListOff}).Draw(w.T, "state"),
		Entries: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Entry { return world{t}.entry() }), 0, 5).Draw(w.T, "entries"),
	}
}

func (w world) lists() map[string]*List {
	lists := map[string]*List{}
	for _, r := range []string{AnyResource, "dataAccess"} {
		if l := w.list(); l != nil {
			lists[r] = l
		}
	}
	return lists
}

func (w world) endpoint(i int) *Endpoint {
	ep := &Endpoint{
		Name:       fmt.Sprintf("e%d", i),
		Protocol:   rapid.SampledFrom([]Protocol{TCP, TCP, UDP, AnyProtocol}).Draw(w.T, "protocol"),
		Resource:   rapid.SampledFrom([]string{AnyResource, "dataAccess"}).Draw(w.T, "resource"),
		AllTenants: rapid.Bool().Draw(w.T, "all"),
		Policies:   w.list(),
		Unlisted:   rapid.SampledFrom([]Unlisted{Inherit, UnlistedOpen, UnlistedClosed}).Draw(w.T, "unlisted"),
		Mode:       rapid.SampledFrom([]Mode{Enforce, Enforce, Monitor, Off}).Draw(w.T, "mode"),
		Verify:     rapid.SampledFrom([]Verify{VerifyAnd, VerifyOr}).Draw(w.T, "verify"),
	}
	if !ep.AllTenants {
		ep.Tenants = rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.ID).Draw(w.T, "tenants")
	}
	switch rapid.IntRange(0, 3).Draw(w.T, "destination") {
	case 0, 1:
		ep.Destination.Prefix = w.prefix("at")
	case 2:
		ep.Destination.Everything = ep.Protocol != AnyProtocol
	}
	if ep.Protocol == AnyProtocol && !ep.Destination.Prefix.IsValid() {
		ep.Destination = Destination{Prefix: w.prefix("at")}
	}
	if ep.Protocol != AnyProtocol {
		ep.Ports = []PortRange{rapid.SampledFrom([]PortRange{{443, 443}, {8000, 8010}, {8005, 8005}, {400, 9000}, AllPorts}).Draw(w.T, "ports")}
	}
	switch rapid.IntRange(0, 5).Draw(w.T, "client") {
	case 0:
		ep.Client = Client{Source: XForwardedFor, Proxies: []netip.Prefix{w.prefix("proxy")}}
	case 1:
		ep.Refuse = RefuseRespond
		ep.HTTP = &HTTP{Listen: fmt.Sprintf(":%d", ep.anyPort()), Upstream: "http://127.0.0.1:3000"}
	}
	return ep
}

func (ep *Endpoint) anyPort() uint16 {
	if len(ep.Ports) == 0 {
		return 443
	}
	return max(ep.Ports[0].First, 1)
}

func (w world) state() (*State, Host) {
	s := &State{
		Unlisted:     rapid.SampledFrom([]Unlisted{Inherit, UnlistedClosed}).Draw(w.T, "agent-unlisted"),
		FilteringOff: rapid.IntRange(0, 9).Draw(w.T, "filtering-off") == 0,
		System:       w.lists(),
	}
	for _, id := range []string{"a", "b", "d"} {
		if rapid.Bool().Draw(w.T, "tenant-"+id) {
			s.Tenants = s.Tenants.With(id, &Tenant{ID: id, Lists: w.lists(), Users: map[string]map[string]*List{"u": w.lists()}})
		}
	}
	for i := range rapid.IntRange(1, 5).Draw(w.T, "endpoints") {
		s.Endpoints = append(s.Endpoints, w.endpoint(i))
	}
	if rapid.Bool().Draw(w.T, "failsafe") {
		s.Failsafe = []Failsafe{{Ports: []PortRange{{22, 22}, {400, 500}}, From: []netip.Prefix{w.prefix("failsafe-from")}}}
	}
	host := Host{Broadcast: []netip.Addr{netip.MustParseAddr("10.0.0.255")}}
	for range rapid.IntRange(0, 2).Draw(w.T, "local") {
		a := w.addr("local")
		host.Local = append(host.Local, netip.PrefixFrom(a, a.BitLen()))
	}
	return s, host
}

// TestPlanAgreesWithDecide asks both forms of random revisions the same
// questions.
func TestPlanAgreesWithDecide(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := world{rt}
		s, host := w.state()
		if s.Check().Err() != nil {
			rt.Skip("not a legal state")
		}
		var c Compiler
		table, err := c.Compile(s, host, noon)
		if err != nil {
			rt.Fatal(err)
		}
		for range 20 {
			proto := rapid.SampledFrom([]Protocol{TCP, UDP, AnyProtocol}).Draw(rt, "proto")
			port := rapid.SampledFrom([]uint16{443, 8005, 8001, 500, 22, 0, 65535}).Draw(rt, "port")
			src, dst := w.addr("src"), w.addr("dst")
			if dst == host.Broadcast[0] {
				continue
			}
			comparePacket(rt, table, proto, port, src, dst)
		}
	})
}

func comparePacket(t *rapid.T, table *Table, proto Protocol, port uint16, src, dst netip.Addr) {
	ep, r := table.Match(proto, dst, port), table.Plan.record(table.Plan.class(proto, port), dst)
	if (ep == nil) != (r == nil) || ep != nil && ep != r.Endpoint {
		t.Fatalf("%v to %v:%d: Match = %v, plan = %+v", proto, dst, port, ep, r)
	}
	if ep == nil {
		return
	}
	v := table.DecidePacket(ep, src)
	refused := !v.Allow && (v.List == nil || v.List.State == ListOn)
	if r.admits(src) == refused {
		t.Errorf("%v at %s: plan admits = %v, law = %+v", src, ep.Name, r.admits(src), v)
	}
	own, tenant := cmp.Or(r.ShadowOwn, r.Own), cmp.Or(r.ShadowTenant, r.Tenant)
	if shadow := own.Contains(src) && tenant.Contains(src); shadow != v.Allow {
		t.Errorf("%v at %s: shadow admits = %v, law = %+v", src, ep.Name, shadow, v)
	}
	if v.Enforced != (r.Mode == Enforce && (v.Allow || v.List == nil || v.List.State == ListOn)) {
		t.Errorf("%v at %s: enforced = %v in mode %v, law = %+v", src, ep.Name, v.Enforced, r.Mode, v)
	}
	compareGuard(t, table, src, dst)
}

// compareGuard holds the guard to its meaning: a source passes where one of the
// address's endpoints admits it, and what they refuse is enforced where one of
// them enforces.
func compareGuard(t *rapid.T, table *Table, src, dst netip.Addr) {
	r := table.Plan.record(table.Plan.Guard, dst)
	want, guarded, mode := false, false, Off
	for i, ep := range table.State.Endpoints {
		if table.host.reaches(ep.Destination, dst) {
			guarded = true
			mode = min(mode, table.Mode(ep))
			want = want || table.Plan.Records.At(i+1).admits(src)
		}
	}
	if guarded != (r != nil) {
		t.Fatalf("%v guarded = %v, guard record = %+v", dst, guarded, r)
	}
	if r != nil && r.Mode != mode {
		t.Errorf("guard of %v is in mode %v, want %v", dst, r.Mode, mode)
	}
	if r != nil && r.admits(src) != want {
		t.Errorf("guard of %v admits %v = %v, want %v", dst, src, r.admits(src), want)
	}
}
